"""A newcomer's first minutes: `miniapp new`, `miniapp dev`, an edit, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from miniapp.project import new as scaffold
from support.dev_process import Dev
from support.phones import Phone


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


def at_the_start(dev: Dev, context: BrowserContext) -> tuple[Page, list[Phone]]:
    """The page that the banner names: the project's app is open on both phones."""
    page = context.new_page()
    page.goto(f"http://onechat.localhost:{dev.up().sandbox.rpartition(':')[2]}/")
    phones = [Phone(page.get_by_test_id(f"phone-{number}")) for number in (0, 1)]
    for phone, name in zip(phones, ("Alice", "Bob"), strict=True):
        expect(phone.app.get_by_role("heading", level=1)).to_contain_text(f"Hello, {name}")
    return page, phones


def test_the_app_is_open_on_both_phones_until_the_person_opens_something_else(dev: Dev, context: BrowserContext):
    """At the start and after a reload; what is open is in the address, so a reload or a link shows the same."""
    page, (alice, bob) = at_the_start(dev, context)
    page.reload()
    for phone in (alice, bob):
        expect(phone.app.get_by_role("heading", level=1)).to_contain_text("Hello, ")
    bob.get("app-back").click()
    bob.get("tab-profile").click()
    expect(page).to_have_url(re.compile(r"\?phones=alice,bob&open=app-\w+,profile$"))
    other = context.new_page()
    other.goto(page.url)
    alice, bob = (Phone(other.get_by_test_id(f"phone-{number}")) for number in (0, 1))
    expect(alice.app.get_by_role("heading", level=1)).to_contain_text("Hello, Alice")
    expect(bob.get("profile-name")).to_have_text("Bob Rahman")


def test_the_app_in_a_plain_browser_leads_to_the_phones(dev: Dev, context: BrowserContext):
    """The app's own address says where it can be seen, with a link to its phones."""
    page = context.new_page()
    page.goto(dev.up().app.replace("127.0.0.1", "localhost"))
    expect(page.locator("output")).to_have_text("Open this page in OneChat.")
    page.get_by_role("link").click()
    phone = Phone(page.get_by_test_id("phone-0"))
    expect(phone.app.get_by_role("heading", level=1)).to_contain_text("Hello, ")


def test_an_edit_shows_on_the_phones_by_itself(project: Path, dev: Dev, context: BrowserContext):
    """The new project runs on two phones; a change to template, style or Python is there without a click."""
    _page, phones = at_the_start(dev, context)

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


def test_fields_that_an_app_adds_have_the_starters_style(context: BrowserContext):
    """Inputs and selects are as wide as their form and as high as a finger needs; check boxes stay small."""
    page = context.new_page()
    page.set_content("<form><input><input type=email><select></select><input type=checkbox></form>")
    page.add_style_tag(path=scaffold.starter() / "static/app.css")

    def size(selector: str) -> tuple[float, float]:
        box = page.locator(selector).bounding_box()
        assert box
        return box["width"], box["height"]

    for field in ("input:not([type])", "[type=email]", "select"):
        width, height = size(field)
        assert width == size("form")[0]
        assert height >= 44
    assert size("[type=checkbox]")[0] < 44
