"""Each phone is its own: what an app is told there is what it sees there."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

import wsgi
from support.phones import Host, Phone


def told(phone: Phone) -> tuple[str, str]:
    """Session ID and device, as the page reads them before the host page has spoken."""
    session, device = phone.app.locator("h1").evaluate(
        "() => [OC.user.getSessionID(), JSON.parse(OC.user.deviceInfo()).device]"
    )
    return session, device


def reload(phone: Phone) -> None:
    """Reload the frame alone, and read what the page was told at its very start."""
    phone.app.locator("h1").evaluate("() => location.reload()")
    expect(phone.app.locator("h1")).to_be_visible()


def test_two_phones_of_one_user_keep_apart(open_host: Callable[..., Host]):
    """After a reload each has its own session and device still, from the first moment on, and a login of its own."""
    host = open_host(wsgi.create_app, query="alice,alice")
    host.phone(1).get("device").select_option("pixel-8")
    first, second = host.open_app(0), host.open_app(1)
    for phone in (first, second):
        expect(phone.app.locator("h1")).to_have_text(f"Hello, {host.onechat.alice.name}")
    before = told(first), told(second)
    assert [device for _, device in before] == ["iPhone 7", "Pixel 8"]
    assert before[0][0] != before[1][0]
    stored = "() => [location.hostname, Object.values(sessionStorage).join()]"
    names, kept = zip(*(phone.app.locator("h1").evaluate(stored) for phone in (first, second)), strict=True)
    assert names[1] == f"phone2.{names[0]}"
    assert [session in text for (session, _), text in zip(before, kept, strict=True)] == [True, True]
    assert before[1][0] not in kept[0]
    for phone in (first, second):
        reload(phone)
    assert (told(first), told(second)) == before


def test_an_app_is_told_of_another_device_while_it_runs(open_host: Callable[..., Host]):
    """Its page has the new device and screen without a reload, and after one."""
    host = open_host(wsgi.create_app)
    phone = host.open_app(0)
    expect(phone.app.locator("h1")).to_be_visible()
    session, _ = told(phone)
    phone.get("device").select_option("pixel-8")
    for _ in range(2):
        device = phone.app.locator("h1").evaluate(
            """async () => {
              const told = () => Object.values(OC.app.device).join();
              const until = performance.now() + 15000;
              while (!told().startsWith("Pixel") && performance.now() < until) await new Promise(requestAnimationFrame);
              return told();
            }"""
        )
        assert device == "Pixel 8,Android 14,412,915"
        assert told(phone) == (session, "Pixel 8")
        reload(phone)
