"""Camera, microphone, location and clipboard: allowed to one app by one user, on the phone, before the browser asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from phones import Host, Phone
from playwright.sync_api import expect
from probe import create_probe

pytestmark = pytest.mark.browser

CAPABILITIES = ["camera", "microphone", "geolocation", "clipboard-read", "clipboard-write"]
LOCATE = """() => new Promise((resolve) => navigator.geolocation.getCurrentPosition(
  ({ coords }) => resolve(coords.latitude), ({ code }) => resolve(`denied: ${code}`)))"""


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
