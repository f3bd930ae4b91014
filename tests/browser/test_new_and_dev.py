"""A newcomer's first minutes: `miniapp new`, `miniapp dev`, an edit, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dev_process import Dev
from phones import Phone
from playwright.sync_api import BrowserContext, expect

from miniapp import scaffold

pytestmark = pytest.mark.browser


@pytest.fixture
def project(tmp_path: Path) -> Path:
    answers = {question.key: question.default(tmp_path / "lunch") for question in scaffold.QUESTIONS}
    scaffold.create(tmp_path / "lunch", answers)
    return tmp_path / "lunch"


@pytest.fixture
def dev(project: Path) -> Iterator[Dev]:
    dev = Dev(project)
    yield dev
    dev.end()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_edit_shows_on_the_phones_by_itself(project: Path, dev: Dev, context: BrowserContext):
    """The new project runs on two phones; a change to template, style or Python is there without a click."""
    page = context.new_page()
    page.goto(f"http://onechat.localhost:{dev.up().sandbox.rpartition(':')[2]}/?phones=alice,bob")
    phones = [Phone(page.get_by_test_id(f"phone-{number}")) for number in (0, 1)]
    for phone in phones:
        phone.get("tab-apps").click()
        phone.get("app").filter(has_text="Lunch").click()
        expect(phone.app.get_by_role("heading", level=1)).to_contain_text("Hello, ")

    change(project / "templates" / "home.html", "Hello, ", "Good day, ")
    for phone in phones:
        expect(phone.app.get_by_role("heading", level=1)).to_contain_text("Good day, ")

    change(project / "wsgi.py", 'render_template("home.html"', 'render_template("home.html", dish="soup"')
    change(project / "templates" / "home.html", "Good day, ", "{{ dish }}, ")
    for phone in phones:
        expect(phone.app.get_by_role("heading", level=1)).to_contain_text("soup, ")

    (project / "static" / "app.css").write_text("h1 { color: rgb(1, 2, 3) }")
    for phone in phones:
        expect(phone.app.get_by_role("heading", level=1)).to_have_css("color", "rgb(1, 2, 3)")
