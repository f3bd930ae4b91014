"""Threat 13, the host page's side: only the mini app's own frame, at its own origin, gets a port."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Frame, Page, expect

from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.servers import serving

# Every MessageChannel that the host page makes is a greeting that it accepted; every message that reached it counts.
WITNESS = """
if (self === top) {
  self.channels = 0;
  self.heard = 0;
  const Channel = self.MessageChannel;
  self.MessageChannel = function () { self.channels += 1; return new Channel(); };
  addEventListener("message", () => { self.heard += 1; });
}
"""
GREETING = {"oc": 1, "type": "connect", "id": "stranger"}


def create_app(_port: int) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "page", lambda: "<!doctype html><title>App</title><h1>App</h1>")
    return app


@pytest.fixture
def page(onechat_server: LocalOneChat, browser: Browser) -> Iterator[Page]:
    """The host page, with a mini app open on the first phone."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WITNESS)
    with serving(create_app) as (_, port):
        onechat_server.register("Probe", f"http://onechat.localhost:{port}/")
        page = context.new_page()
        page.goto(f"{browser_url(onechat_server.url)}/?phones=alice")
        page.get_by_test_id("tab-apps").click()
        page.get_by_test_id("app").filter(has_text="Probe").click()
        expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()
        yield page
        context.close()


def app_frame(page: Page) -> Frame:
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    return frame


def greet(frame: Frame, greeting: object = GREETING) -> None:
    frame.evaluate("greeting => top.postMessage(greeting, '*')", greeting)


def accepted(page: Page, heard: int) -> int:
    """How many greetings the host page accepted, once it has heard `heard`."""
    page.wait_for_function("heard => self.heard >= heard", arg=heard)
    return int(page.evaluate("self.channels"))


def test_the_frame_itself_is_answered(page: Page):
    """The control: the same greeting from the mini app's frame does get its port."""
    greet(app_frame(page))
    assert accepted(page, 1) == 1


@pytest.mark.parametrize("sandbox", [None, "allow-scripts"], ids=["same origin", "null origin"])
def test_a_frame_in_the_frame_is_not_answered(page: Page, sandbox: str | None):
    """A frame that the mini app holds, of its own origin or of none, is not the mini app."""
    frame = app_frame(page)
    frame.evaluate(
        """sandbox => {
          const inner = document.createElement("iframe");
          if (sandbox) inner.setAttribute("sandbox", sandbox);
          inner.srcdoc = `<script>top.postMessage({oc: 1, type: "connect", id: "inner"}, "*")</` + `script>`;
          document.body.append(inner);
        }""",
        sandbox,
    )
    assert accepted(page, 1) == 0


def test_a_sibling_frame_is_not_answered(page: Page):
    """A frame beside the mini app's, at the same origin, is a stranger."""
    src = app_frame(page).url
    page.evaluate("src => document.body.append(Object.assign(document.createElement('iframe'), {src}))", src)
    sibling = page.locator("body > iframe").element_handle().content_frame()
    assert sibling is not None
    sibling.wait_for_load_state()
    greet(sibling)
    assert accepted(page, 1) == 0


def test_the_frame_at_another_origin_is_not_answered(page: Page):
    """A frame that went elsewhere, be it one host name further, has lost its bridge."""
    frame = app_frame(page)
    port = urlsplit(frame.url).port
    for host in ("127.0.0.1", "bob.onechat.localhost"):
        frame.goto(f"http://{host}:{port}/")
    greet(app_frame(page))
    assert accepted(page, 1) == 0


def test_malformed_greetings_are_not_answered(page: Page):
    """From the right frame, too, only the documented greeting counts."""
    malformed = [
        None,
        "connect",
        [],
        {},
        {"type": "connect", "id": "x"},
        {"oc": "1", "type": "connect", "id": "x"},
        {"oc": 1, "type": "port", "id": "x"},
        {"oc": 1, "type": "connect"},
        {"oc": 1, "type": "connect", "id": 7},
        {"oc": 1, "type": "connect", "id": ""},
        {"oc": 1, "type": "connect", "id": "x" * 100_000},
    ]
    for greeting in malformed:
        greet(app_frame(page), greeting)
    assert accepted(page, len(malformed)) == 0
