"""Threat 48: a picture in a message tells its sender's server who reads it, and when."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Route, expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.friend import Friend, Loop
from support.xmpp.host import loop
from support.xmpp.ocwp_fixtures import chat_server, people, site, visit
from support.xmpp.ocwp_site import Site, Visitor

__all__ = ["chat_server", "loop", "people", "site", "visit"]
ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))
TRACKER = "http://tracker.example"


def test_a_picture_of_a_foreign_host_waits_for_a_click(
    chat_server: Prosody, site: Site, loop: Loop, visit: Callable[..., Visitor]
) -> None:
    """A chat with pictures is opened: no request leaves for their host until a click asks, or it is listed."""
    site.upload = TRACKER  # the site's policy would let it through
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    for name in ("one", "two"):
        bob.send_picture(ALICE, f"{TRACKER}/{name}.png")
    alice = visit("alice")
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/svg+xml")

    alice.page.context.route(f"{TRACKER}/**", answer)
    alice.sign_in()
    alice.open(BOB)
    alice.expect_texts(BOB, f"{TRACKER}/one.png", f"{TRACKER}/two.png")
    assert asked == []
    alice.box(BOB).get_by_role("button", name="Show picture").last.click()
    expect(alice.box(BOB).get_by_role("img", name="Picture from Bob")).to_have_count(1)
    alice.page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('two.png'))"
    )
    assert asked == [f"{TRACKER}/two.png"]
    site.pictures = ["tracker.example"]
    alice.page.reload()
    alice.sign_in()
    expect(alice.box(BOB).get_by_role("img", name="Picture from Bob")).to_have_count(2)
    bob.logout()
