"""docs/tutorial.md: its files and commands, in their order, and the poll on two phones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from support.commands import PATIENCE
from support.dev_process import Dev
from support.paths import ROOT
from support.phones import Phone
from support.servers import gunicorn

PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block, its language, and the file that it belongs into."""


class Project:
    """What a reader has made so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dev: Dev | None = None
        self.environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}

    def follow(self, section: int) -> None:
        """Do what the section with this number says: write its files, run its commands."""
        text = PAGE.read_text().split("\n## ")[section]
        assert text.startswith(f"{section}. ")
        for name, language, block in BLOCK.findall(text):
            if language == "sh":
                for command in block.replace("\\\n", "").splitlines():
                    self.run(command)
            elif language == "toml":
                file = self.folder / name
                file.write_text(re.sub(r"^dependencies = .*\n", block, file.read_text(), count=1, flags=re.MULTILINE))
            else:
                (self.folder / name).write_text(block)

    def run(self, command: str) -> str:
        if command == "miniapp doctor" or command.startswith(("python3 -m venv", "pip install", "gunicorn")):
            return ""  # all is installed here; doctor and gunicorn have steps of their own
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
        elif command == "miniapp dev":
            self.dev = Dev(self.folder).up()
        else:
            where = {"cwd": self.folder, "env": self.environment, "timeout": PATIENCE}
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, **where)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            return done.stdout
        return ""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    if project.dev:
        project.dev.end()


def test_the_tutorial_leads_to_an_app_that_runs(project: Project, context: BrowserContext) -> None:
    """A reader who follows it has a poll on the phones, tests that pass, a registered app, and gunicorn with it."""
    for section in (1, 2, 3, 4, 5):
        project.follow(section)
    tell_on_the_phones(ask_on_the_phones(project.dev, context))
    project.follow(6)

    controls = project.dev.controls()
    session = controls.call("POST", "/_sandbox/sessions", {"jid": "admin@onechat.localhost"})["sessionId"]
    project.environment |= {"ONECHAT_SESSION_ID": session, "ONECHAT_API_URL": f"{project.dev.sandbox}/onechat/api"}
    (command,) = re.findall(r"^(miniapp register .*\\\n.*)$", PAGE.read_text(), re.MULTILINE)
    project.run(command.replace("admin@onechat.net", "admin@onechat.localhost"))
    project.follow(8)
    findings = json.loads(project.run("miniapp doctor --json || true"))["findings"]
    wrong = {finding["code"]: finding["what"] for finding in findings if finding["level"] == "error"}
    assert set(wrong) == {"https"}, wrong  # nothing is at lunch.example
    with gunicorn({}, "--workers", "1", folder=project.folder, app="wsgi:create_app()") as url:
        assert requests.get(f"{url}/readyz", timeout=PATIENCE).json() == {"failed": [], "status": "ready"}
        assert requests.get(url, headers={"Accept": "text/html"}, timeout=PATIENCE).status_code == 401


def ask_on_the_phones(dev: Dev, context: BrowserContext) -> Page:
    """Alice asks Bob and Carol, Bob votes."""
    page = context.new_page()
    first, second = (Phone(page.get_by_test_id(f"phone-{number}")) for number in (0, 1))
    page.goto(f"http://onechat.localhost:{dev.sandbox.rpartition(':')[2]}/")
    first.app.get_by_role("button", name="Choose people").click()
    for name in ("Bob", "Carol"):
        first.get("picker-item").filter(has_text=name).click()
    first.get("picker-done").click()
    first.get("share-send").click()
    expect(first.app.get_by_role("button", name="Noodles: 0")).to_be_visible()

    second.get("app-reload").click()
    second.app.get_by_role("button", name="Noodles: 0").click()
    expect(second.app.get_by_role("button", name="Noodles: 1")).to_be_visible()
    return page


def tell_on_the_phones(page: Page) -> None:
    """Those who have not voted are reminded, the group is told."""
    phones, _, _ = page.url.partition("?")
    first, second = (Phone(page.get_by_test_id(f"phone-{number}")) for number in (0, 1))
    with page.expect_response("**/remind"):
        first.app.get_by_role("button", name="Remind").click()
    with page.expect_response("**/result"):
        first.app.get_by_role("button", name="Tell the group").click()
    page.goto(f"{phones}?phones=alice,carol&open=chats,chats")
    for phone in (first, second):
        expect(phone.get("thread").filter(has_text="Where do we have lunch? Please vote.")).to_be_visible()
        expect(phone.get("thread").filter(has_text="Where do we have lunch? Noodles (1 of 3 votes).")).to_be_visible()
    page.goto(f"{phones}?phones=bob&open=chats")
    expect(first.get("thread").filter(has_text="Noodles (1 of 3 votes).")).to_be_visible()
    expect(first.get("thread").filter(has_text="Please vote.")).to_have_count(0)
