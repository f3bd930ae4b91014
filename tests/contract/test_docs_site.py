"""The manual as a site: built as `scripts/docs` builds it."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import miniapp
from miniapp import outbox
from miniapp.testing import onechat, plugin
from support.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. A warning fails the build."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", ROOT / "docs", out]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return out


def test_every_page_is_in_the_menu(site: Path) -> None:
    """The site has each page of docs/, and its menu leads there."""
    menu = (site / "index.html").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f'href="{page.stem}.html"' in menu or page.stem == "index"


def _names() -> set[str]:
    """The public names: of the package, its outbox and its pytest plugin, with the methods of their classes."""
    places = [("miniapp", miniapp, miniapp.__all__), ("miniapp.outbox", outbox, outbox.__all__)]
    found = {f"{place}.{name}": getattr(module, name) for place, module, names in places for name in names}
    found["miniapp.testing.onechat.LocalOneChat"] = onechat.LocalOneChat
    names = set(found) | {
        f"{plugin.__name__}.{name}" for name in ("onechat", "onechat_server", "alice", "bob", "login")
    }
    for name, thing in found.items():
        members = vars(thing).items() if inspect.isclass(thing) else ()
        names |= {
            f"{name}.{member}"
            for member, value in members
            if not member.startswith("_") and isinstance(value, property | classmethod | type(_names))
        }
    return names


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """The API reference has an entry for each public name."""
    reference = "".join(page.read_text() for page in (site / "api").glob("*.html"))
    assert {name for name in _names() if f'id="{name}"' not in reference} == set()


@pytest.fixture
def example(onechat_server, env, monkeypatch, tmp_path) -> Callable[[str], dict[str, Any]]:
    """`example("app")`: what the Python on that page of the reference defines, beside a OneChat on a port."""
    monkeypatch.chdir(tmp_path)
    for key, value in env.items():
        monkeypatch.setenv(key, value)

    def run(page: str) -> dict[str, Any]:
        text = (ROOT / f"docs/api/{page}.rst").read_text().replace("6581234567@onechat.net", onechat_server.alice.jid)
        (block,) = re.findall(r"^\.\. code-block:: python\n((?:\n|   .*\n)+)", text, re.MULTILINE)
        names: dict[str, Any] = {"__name__": "example"}
        exec(compile(dedent(block), page, "exec", dont_inherit=True), names)
        return names

    return run


def test_the_example_of_the_app_runs(example, login, alice):
    """The reference's app knows who is there."""
    assert login(example("app")["app"], alice).get("/").text == f"You are {alice.jid}."


def test_the_example_of_the_client_runs(example, onechat_server, alice):
    """The reference's client sends a message without an app."""
    example("client")
    assert onechat_server.messages(alice)[0]["text"] == "Lunch in ten minutes."


def test_the_example_of_the_outbox_runs(example, onechat_server, alice):
    """The reference's command sends a bulk and shows its progress to the end."""
    app = example("outbox")["app"]
    result = app.test_cli_runner().invoke(args=["remind"])
    app.extensions["miniapp"].outbox.stop()
    assert result.output.endswith("1 of 1\n"), result
    assert onechat_server.messages(alice)[0]["text"] == "Lunch in ten minutes."
