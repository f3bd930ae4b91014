"""Camera, microphone, location and clipboard: allowed to one app by one user, on the phone, before the browser asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import expect

from miniapp import MiniApp
from support.phones import Host, Phone
from support.probe import create_probe

CAPABILITIES = ["camera", "microphone", "geolocation", "clipboard-read", "clipboard-write"]
LOCATE = """() => new Promise((resolve) => navigator.geolocation.getCurrentPosition(
  ({ coords }) => resolve(coords.latitude), ({ code }) => resolve(`denied: ${code}`)))"""

PAGE = """<!doctype html>{{ miniapp_script() }}<p id="session"></p><button>Use</button><script>
OC.app.ready.then(() => {
  document.getElementById("session").textContent = OC.app.session;
  document.body.dataset.connected = "";
});
</script>"""
MEDIA = "() => navigator.mediaDevices.getUserMedia({ audio: true, video: true }).catch(() => 0)"
PASTE = "() => navigator.clipboard.readText().catch(() => 0)"
# The page's own observer hears of a report after the shim's, which was there before.
REPORTED = """(_, use) => new Promise((resolve) => {
  new ReportingObserver(() => resolve(), { types: ["permissions-policy-violation"] }).observe();
  eval(use)();
})"""


def create_app(settings: dict[str, Any]) -> Flask:
    """An app with the shim, which is what hears of a refusal."""
    app = Flask(__name__)
    app.config.update(settings)
    MiniApp(app, env_file=None)
    app.add_url_rule("/", "page", lambda: render_template_string(PAGE))
    return app


def use(phone: Phone, script: str) -> None:
    """Lets the app use what its frame may not, and waits until that was reported."""
    phone.app.locator("body[data-connected]").evaluate(REPORTED, script)


def may(phone: Phone) -> list[str]:
    """What the app's frame may use, if the browser agrees."""
    page = phone.app.locator("body[data-connected]")
    allowed: list[str] = page.evaluate(
        "(_, names) => names.filter((name) => document.featurePolicy.allowsFeature(name))", CAPABILITIES
    )
    return allowed


def test_an_app_may_use_what_its_user_allowed(open_host: Callable[..., Host]):
    """By a switch in the profile, which names the app; it holds after a reload, for this user and this app alone."""
    host = open_host(create_probe)
    context = host.page.context
    context.grant_permissions(["geolocation"])  # what the browser's own question would be answered with
    context.set_geolocation({"latitude": 1.3521, "longitude": 103.8198})
    phone = host.open_app(0)
    assert may(phone) == ["clipboard-write"]
    assert phone.app.locator("body").evaluate(LOCATE) == "denied: 1"
    session = phone.app.locator("#session").inner_text()
    phone.get("app-back").click()
    phone.get("tab-profile").click()
    expect(phone.root.get_by_role("heading", name="What Lunch may use")).to_be_visible()
    phone.get("permit-geolocation").check()
    expect(phone.app.locator("body[data-connected] #session")).not_to_have_text(session)
    assert may(phone) == ["geolocation", "clipboard-write"]
    assert phone.app.locator("body").evaluate(LOCATE) == 1.3521
    host.page.reload()
    assert may(host.open_app(0)) == ["geolocation", "clipboard-write"]
    assert may(host.open_app(1)) == ["clipboard-write"]


@pytest.mark.parametrize(
    ("script", "what", "capabilities"),
    [
        (MEDIA, "the camera and the microphone", ["camera", "microphone"]),
        (LOCATE, "your location", ["geolocation"]),
        (PASTE, "what is on the clipboard", ["clipboard-read"]),
    ],
    ids=["media", "location", "clipboard"],
)
def test_an_app_that_uses_one_has_its_user_asked(
    open_host: Callable[..., Host], script: str, what: str, capabilities: list[str]
):
    """The phone asks; Allow opens the app again with what it wanted, for this user and this app alone."""
    host = open_host(create_app)
    phone = host.open_app(0)
    session = phone.app.locator("body[data-connected] #session").inner_text()
    phone.app.get_by_role("button").click()  # the clipboard is for the page that has the focus
    use(phone, script)
    expect(phone.get("permit")).to_contain_text(f"Lunch wants to use {what}.")
    expect(phone.get("permit-allow")).not_to_be_focused()
    phone.get("permit-allow").click()
    expect(phone.app.locator("body[data-connected] #session")).not_to_have_text(session)
    expect(phone.get("permit")).to_have_count(0)
    assert may(phone) == [*capabilities, "clipboard-write"]
    assert may(host.open_app(1)) == ["clipboard-write"]
    phone.get("app-back").click()
    phone.get("tab-profile").click()
    for capability in capabilities:
        expect(phone.get(f"permit-{capability}")).to_be_checked()
    other = open_host(create_app, "Dinner")
    assert may(other.open_app(0)) == ["clipboard-write"]
    other.phone(0).get("app-close").click()
    other.app_name = "Lunch"
    assert may(other.open_app(0)) == [*capabilities, "clipboard-write"]


def test_not_now_keeps_it_denied(open_host: Callable[..., Host]):
    """A page has its user asked once, and a page that is loaded again once more; the third Not now stops the app."""
    phone = open_host(create_app).open_app(0)
    for left in (2, 1, 0):
        use(phone, LOCATE)
        phone.get("permit-not-now").click()
        expect(phone.get("permit")).to_have_count(0)
        assert may(phone) == ["clipboard-write"]
        if left:
            use(phone, LOCATE)
            phone.app.locator("body").evaluate("() => void OC.user.selectContacts()")
            expect(phone.get("picker")).to_be_visible()
            expect(phone.get("permit")).to_have_count(0)
            phone.app.locator("body").evaluate("() => location.reload()")
            expect(phone.get("picker")).to_have_count(0)
    expect(phone.get("asking-stopped")).to_contain_text("Lunch")


def test_an_app_in_the_background_waits_with_its_question(open_host: Callable[..., Host]):
    """Its user is asked on return to the app."""
    phone = open_host(create_app).open_app(0)
    expect(phone.app.locator("body[data-connected]")).to_have_count(1)
    phone.get("app-back").click()
    use(phone, LOCATE)
    expect(phone.get("permit")).to_have_count(0)
    phone.get("app").filter(has_text="Lunch").click()
    expect(phone.get("permit")).to_be_visible()
