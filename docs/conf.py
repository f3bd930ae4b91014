"""Sphinx's configuration: `scripts/docs` builds the manual from this folder."""

import re

from sphinx.application import Sphinx

import miniapp

project = "onechat-miniapp"
release = miniapp.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3  # links such as deploy.md#health-checks, as GitHub makes them

autodoc_member_order = "bysource"
maximum_signature_line_length = 80  # characters; longer signatures have a line for each parameter
python_use_unqualified_type_names = True
default_role = "py:obj"  # a name between single backticks in a docstring becomes a link if this manual has it
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    ("py:class", r"(?!miniapp\.).*"),  # other packages' types
    ("py:class", r"miniapp\.(state\.State|login\.guard\.View|outbox\.(database\.Database|worker\.Worker))"),  # internal
]

html_theme = "furo"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0a6b50", "color-brand-content": "#0a6b50"},
    "dark_css_variables": {"color-brand-primary": "#55d0a8", "color-brand-content": "#55d0a8"},
}
html_title = project
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sphinx = False


def _code(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Turn what is no name, such as `.env`, from a reference into code."""

    def role(found: re.Match[str]) -> str:
        return found[0] if re.fullmatch(r"[A-Za-z_][\w.]*", found[1]) else f"``{found[1]}``"

    lines[:] = re.sub(r"(?<!`)`([^`]+)`(?!`)", role, "\n".join(lines)).split("\n")


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _code)
