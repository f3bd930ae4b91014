"""Threat 37, the host page's part: a frame that left its app's origin has no bridge, and the phone says where it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, render_template_string, request
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from miniapp import MiniApp, current_user, login_required
from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.servers import serving

PAGE = """<!doctype html><title>Lunch</title>{{ miniapp_script() }}
<link rel="icon" href="data:,"><h1>{{ current_user.jid }}</h1>
<a id="hash" href="#">Hash</a> <a id="other" href="/other">Other</a>"""


@dataclass
class Site:
    """A host page with one phone, Bob's; the app Lunch with its logins; and Alice's launch data for it."""

    page: Page
    onechat: LocalOneChat
    app_id: str
    port: int
    logins: list[str] = field(default_factory=list)

    def launch(self, jid: str) -> tuple[str, str]:
        """Origin at which `jid` opens Lunch, and a fragment with launch data of theirs, as the host page gets them."""
        launched = self.page.evaluate(
            """([jid, appId]) => fetch(`/phones/${jid}/launch`, {
              method: "POST",
              headers: {
                "Content-Type": "application/json",
                "X-Sandbox-Token": document.querySelector("meta[name=sandbox-token]").content,
              },
              body: JSON.stringify({ appId }),
            }).then((response) => response.json())""",
            [jid, self.app_id],
        )
        return launched["origin"], launched["url"].partition("#")[2]

    def open(self, app: str) -> Frame:
        self.page.get_by_test_id("tab-apps").click()
        self.page.get_by_test_id("app").filter(has_text=app).click()
        handle = self.page.locator("iframe").element_handle()
        frame = handle.content_frame()
        assert frame is not None
        return frame

    @property
    def heading(self) -> Locator:
        return self.page.frame_locator("iframe").get_by_role("heading")

    @property
    def title(self) -> Locator:
        return self.page.get_by_test_id("app-title")


def plain(body: str) -> Callable[[int], Flask]:
    def make(_port: int) -> Flask:
        app = Flask("plain")
        app.add_url_rule("/", "page", lambda: f"<!doctype html><title>Plain</title><h1>{body}</h1>")
        return app

    return make


@pytest.fixture
def site(onechat_server: LocalOneChat, browser: Browser) -> Iterator[Site]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    made: list[Site] = []

    def make(port: int) -> Flask:
        app_id, api_key = onechat_server.register("Lunch", f"http://onechat.localhost:{port}/")
        made.append(Site(context.new_page(), onechat_server, app_id, port))
        app = Flask("lunch")
        app.config.update(onechat_server.settings(app_id, api_key), ONECHAT_PUBLIC_URL="")
        MiniApp(app, env_file=None)

        @app.get("/")
        @app.get("/other")
        @login_required
        def page() -> str:
            return render_template_string(PAGE)

        @app.get("/who")
        @login_required
        def who() -> str:
            return current_user.jid

        @app.after_request
        def note(response):
            if request.path == "/miniapp/session":
                made[0].logins.append(request.get_json()["jid"])
            return response

        return app

    with serving(make):
        made[0].page.goto(f"{browser_url(onechat_server.url)}/?phones=bob")
        yield made[0]
    context.close()


def still_bob(site: Site, frame: Frame) -> None:
    """Page and server know Bob, before and after a reload."""
    bob = site.onechat.bob.jid
    for again in (True, False):
        expect(site.heading).to_have_text(bob)
        assert frame.evaluate("OC.app.ready.then((app) => app.user.jid)") == bob
        assert frame.evaluate("OC.app.fetch('/who').then((r) => r.text())") == bob
        if again:
            with site.page.expect_response(re.compile(r"/(other)?$")):
                frame.evaluate("location.reload()")
    assert set(site.logins) == {bob}


@pytest.mark.parametrize("link", ["hash", "other"])
def test_a_link_logs_no_other_user_in(link: str, site: Site) -> None:
    """Bob presses a link that carries Alice's launch data, on the page or to another page: he stays Bob."""
    frame = site.open("Lunch")
    expect(site.heading).to_have_text(site.onechat.bob.jid)
    _, fragment = site.launch(site.onechat.alice.jid)
    frame.evaluate("([id, hash]) => { document.getElementById(id).hash = hash; }", [link, fragment])
    frame.locator(f"#{link}").click()
    frame.wait_for_function("() => location.pathname === '/other' || location.hash")
    still_bob(site, frame)
    frame.evaluate("void history.back()")
    frame.wait_for_function("() => location.pathname === '/' && !location.hash")
    still_bob(site, frame)


def test_another_app_cannot_open_ours_with_its_own_launch_data(site: Site) -> None:
    """An app that sends its frame to Lunch gets no login there, and the phone names the origin that is shown."""
    with serving(plain("Evil")) as (_, port):
        site.onechat.register("Evil", f"http://onechat.localhost:{port}/")
        frame = site.open("Evil")
        expect(site.heading).to_have_text("Evil")
        origin, _ = site.launch(site.onechat.bob.jid)
        _, fragment = site.launch(site.onechat.alice.jid)
        frame.goto(f"{origin}/#{fragment}")
        expect(site.title).to_have_text(origin)
        expect(site.page.get_by_test_id("stray")).to_contain_text(f"This page is from {origin}, not from Evil.")
        assert frame.evaluate("OC.app.session") != ""  # the attack is not refused for a mistake of its own
        frame.evaluate("OC.app.ready")  # after the time of the handshake, which gets no answer
        assert frame.evaluate("[OC.app.session, OC.app.inHost]") == ["", False]
        assert site.logins == []
        site.page.get_by_test_id("app-return").click()
        expect(site.heading).to_have_text("Evil")
        expect(site.title).to_have_text("Evil")
        expect(site.page.get_by_test_id("stray")).to_have_count(0)


def test_a_page_that_says_nothing_is_named_too(site: Site) -> None:
    """A frame that goes to a site without a shim is found out by the browser's own report; back at home all is well."""
    with serving(plain("Elsewhere")) as (_, port):
        frame = site.open("Lunch")
        expect(site.heading).to_have_text(site.onechat.bob.jid)
        home = frame.url
        frame.goto(f"http://127.0.0.1:{port}/")
        expect(site.title).to_have_text(f"http://127.0.0.1:{port}")
        frame.goto(home)
        expect(site.title).to_have_text("Lunch")
        expect(site.page.get_by_test_id("stray")).to_have_count(0)
        assert frame.evaluate("OC.app.ready.then((app) => app.user.jid)") == site.onechat.bob.jid
