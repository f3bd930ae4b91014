"""Sphinx's configuration: `scripts/docs` builds the manual from this folder."""

import miniapp

project = "onechat-miniapp"
version = release = miniapp.__version__

extensions = ["myst_parser"]
myst_heading_anchors = 3  # links such as deploy.md#health-checks, as GitHub makes them

html_theme = "furo"
html_title = f"onechat-miniapp {version}"
html_copy_source = False
html_show_sphinx = False
