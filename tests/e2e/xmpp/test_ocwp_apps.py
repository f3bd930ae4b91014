"""What ocwp shows of the mini apps that write to a person and to groups."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, expect

from support.people import ALERTS, ALICE, LUNCH
from support.xmpp.host import Host
from support.xmpp.ocwp_site import Site, Visitor


def test_messages_of_apps_have_name_and_picture(host: Host, browser: Browser, eventually: Callable[..., None]) -> None:
    """An app's alerts and its messages to groups show its icon; one whose icon can't be had is named alone."""
    host.api("singleMessage", jid=ALICE, message="from Lunch, whose icon is at no place")
    url = "http://localhost/"
    cafe = host.controls.add_app(
        name="Café Lune", icon=f"{host.server.url}/static/icon.svg", url=url, admin=f"admin@{host.sandbox.domain}"
    )
    host._key = cafe["apiKey"]
    host.api("singleMessage", jid=ALICE, message="ready")
    host.api("groupMessage", jid=LUNCH, message="for all")
    eventually(host.sent_on)
    site = Site(host.prosody.ports.http)
    visitor = Visitor(browser.new_context(viewport={"width": 1280, "height": 800}), site, "alice")
    visitor.init(
        login={"usr": ALICE, "pw": host.controls.call("POST", f"/_sandbox/users/{ALICE}/password")["password"]}
    )
    visitor.ready()
    for chat, names in ((ALERTS, ["Lunch", "Café Lune"]), (LUNCH, ["Café Lune"])):
        visitor.page.locator(f'ocwp-list [data-jid="{chat}"]').click()
        senders = visitor.box(chat).locator(".from")
        expect(senders).to_have_text(names)
        picture = senders.last.locator("img")
        expect(picture).to_be_visible()
        assert picture.evaluate("(picture) => picture.decode().then(() => picture.src)").startswith(
            "data:image/svg+xml;"
        )
    expect(visitor.box(ALERTS).locator(".from img")).to_have_count(1)
    visitor.page.context.close()
    site.close()
