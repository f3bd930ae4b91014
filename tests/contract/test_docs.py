"""What the documents say is so: settings, errors, commands, links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields

import click
import pytest

from miniapp import errors
from miniapp.settings import PREFIX, Settings
from support.commands import loaded
from support.paths import ROOT

README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{int(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value else ""


def test_the_settings_table_is_complete():
    """docs/settings.md has every setting, its default and what it means, in the order of the class."""
    rows = [
        f"| `{PREFIX}{field.name.upper()}` | {_default(field.default)} | {field.metadata['doc']} |"
        for field in fields(Settings)
    ]
    assert "\n".join(rows) in SETTINGS, "Put this into docs/settings.md:\n" + "\n".join(rows)


def _tree(kind: type[BaseException]) -> list[type[BaseException]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in _tree(sub))]


def test_every_error_is_drawn():
    """The tree on top of errors.py names every class below it."""
    for kind in _tree(errors.MiniAppError):
        if kind.__module__ == errors.__name__:
            assert kind.__name__ in errors.__doc__


def test_every_code_is_explained():
    """docs/errors.md has each code of `errors.Code`, and no error has another one."""
    text = (ROOT / "docs" / "errors.md").read_text()
    codes = set(errors.Code) - {errors.Code.ERROR, errors.Code.HOST}  # no error has the two roots' own
    assert {code for code in codes if f"`{code}`" not in text} == set()
    source = "\n".join(path.read_text() for path in (ROOT / "miniapp").rglob("*.py"))
    assert re.findall(r'\bcode ?= ?"[a-z_]+"', source) == []


@pytest.mark.parametrize("name", sorted(loaded()))
def test_every_command_is_documented(name):
    """docs/cli.md has every command and every option of it."""
    text = (ROOT / "docs" / "cli.md").read_text()
    assert f"miniapp {name}" in text
    command = loaded()[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            assert parameter.opts[-1] in text, f"{parameter.opts[-1]} of miniapp {name} is not in docs/cli.md"


def test_the_snippets_of_the_readme_are_one_program(tmp_path):
    """The README's view and its test, put into the files that `miniapp new` makes, pass under pytest."""
    app, test = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "wsgi.py").write_text(app)
    (tmp_path / "test_wsgi.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "nine-blue-whales-sing-here"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """Every relative link and picture in the documents exists."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
