"""The connection: its statuses in order, and that nothing is lost or repeated when it breaks."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from playwright.sync_api import expect

from miniapp.sandbox.prosody import Prosody
from support.people import DOMAIN
from support.xmpp.ocwp_site import READY, Site, Visitor

Visit = Callable[..., Visitor]
ALICE, BOB = (f"{name}@{DOMAIN}" for name in ("alice", "bob"))

CONNECTS = ["CONNECTING", "CONNECTED", "CONNECTED_READY"]


def test_a_login_and_a_logout(visit: Visit) -> None:
    """Idle, connecting, connected, ready; a logout ends idle, not as a lost connection."""
    alice = visit("alice").sign_in()
    assert alice.statuses == ["IDLE", *CONNECTS]
    alice.page.evaluate("ocwp.logout()")
    assert alice.statuses == ["IDLE", *CONNECTS, "IDLE"]
    alice.page.evaluate("ocwp.login('alice', 'pw-alice')")
    alice.ready()
    assert alice.statuses == ["IDLE", *CONNECTS, "IDLE", *CONNECTS]


def test_a_wrong_password_is_tried_once(visit: Visit, people: object) -> None:
    """AUTHFAIL ends it, in words on the page; the right password then logs in."""
    alice = visit("alice").init(login={"usr": ALICE, "pw": "wrong"})
    alice.wait_status("XMPP_CONNECTION_AUTHFAIL")
    assert alice.statuses == ["IDLE", "CONNECTING", "AUTHFAIL"]
    expect(alice.page.get_by_text("Signing in failed")).to_be_visible()
    alice.page.evaluate("([usr, pw]) => ocwp.login(usr, pw)", [ALICE, "pw-alice"])
    alice.ready()
    assert alice.statuses == ["IDLE", "CONNECTING", "AUTHFAIL", *CONNECTS]


def test_a_server_that_is_gone(visit: Visit, site: Site) -> None:
    """CONNFAIL while there is no server; once there is, it connects by itself."""
    site.wire.cut()
    alice = visit("alice").init(login={"usr": ALICE, "pw": "pw-alice"})
    alice.wait_status("XMPP_CONNECTION_CONNFAIL")
    expect(alice.page.get_by_text("The server can't be reached")).to_be_visible()
    site.wire.mend()
    alice.ready()
    assert alice.statuses[:3] == ["IDLE", "CONNECTING", "CONNFAIL"]
    assert alice.statuses[-3:] == CONNECTS
    assert set(alice.statuses[3:-3]) <= {"CONNECTING", "CONNFAIL"}


def test_a_dropped_connection_is_resumed(visit: Visit, site: Site) -> None:
    """Messages written by both sides while the connection is cut arrive after it, each once and in order."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.open(BOB)
    bob.open(ALICE)
    alice.write(BOB, "before")
    bob.expect_texts(ALICE, "before")
    expect(alice.box(BOB).locator('[data-delivery="read"]')).to_have_count(1)
    site.wire.cut()
    alice.wait_status("XMPP_CONNECTION_CONNFAIL")
    expect(alice.box(BOB).get_by_text("can't be reached")).to_be_visible()
    for text in ("one", "two", "three"):
        alice.write(BOB, text)
    expect(alice.box(BOB).locator('[data-delivery="sending"]')).to_have_count(3)
    site.wire.mend()
    alice.ready()
    bob.ready()
    bob.expect_texts(ALICE, "before", "one", "two", "three")
    bob.write(ALICE, "after")
    alice.expect_texts(BOB, "before", "one", "two", "three", "after")
    assert alice.statuses[:5] == ["IDLE", *CONNECTS, "DISCONNECTED"]
    expect(alice.box(BOB).locator('[data-delivery="sending"]')).to_have_count(0)


def test_a_connection_that_is_dead_without_a_sign(visit: Visit, site: Site) -> None:
    """After some silence the server is asked; without an answer the connection is given up, and made again."""
    alice, bob = visit("alice"), visit("bob").sign_in()
    alice.page.clock.install()
    alice.sign_in()
    alice.open(BOB)
    bob.open(ALICE)
    site.wire.freeze()
    alice.write(BOB, "into the void")
    for _ in range(4):
        alice.page.clock.run_for(8_000)  # twice for the silence to be noticed, once for the answer that doesn't come
    alice.page.wait_for_function("() => statuses.includes('XMPP_CONNECTION_DISCONNECTED')")
    alice.ready()
    expect(alice.box(BOB).locator('[data-delivery="sent"]')).to_have_count(1)
    bob.page.evaluate("dispatchEvent(new Event('offline'))")
    bob.page.evaluate("dispatchEvent(new Event('online'))")
    bob.expect_texts(ALICE, "into the void")


def test_messages_under_way_when_it_breaks_arrive_once(visit: Visit, site: Site) -> None:
    """The connection is cut five times amid a stream of messages: all of them arrive, in order, none twice."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.open(BOB)
    bob.open(ALICE)
    texts = [f"message {number}" for number in range(25)]
    for number, text in enumerate(texts):
        alice.write(BOB, text)
        if number % 5 == 3:
            site.wire.cut()
            site.wire.mend()
    expect(bob.box(ALICE).locator(".text")).to_have_count(len(texts), timeout=30_000)
    expect(alice.box(BOB).locator('[data-delivery="sending"]')).to_have_count(0)
    assert bob.texts(ALICE) == texts
    assert alice.texts(BOB) == texts


def test_a_server_that_is_killed_forgets_no_message(visit: Visit, chat_server: Prosody) -> None:
    """After a restart there is no session to resume: the archive tells what has arrived, the rest is sent again."""
    alice, bob = visit("alice").sign_in(), visit("bob").sign_in()
    alice.open(BOB)
    bob.open(ALICE)
    group = alice.create_group(members=[BOB], chatName="Lunch")
    alice.write(group, "in the group")
    texts = [f"message {number}" for number in range(6)]
    for text in texts:
        alice.write(BOB, text)
    os.kill(chat_server.pid, signal.SIGKILL)
    alice.write(BOB, "while it is down")
    alice.write(group, "and here")
    alice.ready()
    bob.ready()
    expect(bob.box(ALICE).locator(".text")).to_have_count(7, timeout=30_000)
    assert sorted(bob.texts(ALICE)) == sorted([*texts, "while it is down"])
    bob.page.locator("ocwp-list").get_by_role("button", name="Lunch").click()
    bob.expect_texts(group, "in the group", "and here")
    alice.expect_texts(group, "in the group", "and here")


def test_credentials_are_asked_for_at_each_connection(visit: Visit, site: Site) -> None:
    """`credentials` is called again when the connection is made again, so that what it gives may be short-lived."""
    alice = visit("alice")
    alice.page.evaluate(
        """async () => {
            window.asked = 0;
            const credentials = async () => { window.asked++; return { usr: "alice", pw: "pw-alice" }; };
            await ocwp.init({ containerElement: document.getElementById("onechatContainer"), credentials });
        }"""
    )
    alice.ready()
    assert alice.page.evaluate("window.asked") == 1
    site.wire.cut()
    site.wire.mend()
    alice.page.wait_for_function(f"() => window.asked > 1 && ocwp.getConnectionStatus() === '{READY}'")


def test_onechats_own_example_logs_in_again(visit: Visit, site: Site) -> None:
    """OneChat's subscriber, which logs in whenever the status is disconnected, and our own reconnecting go together."""
    alice = visit("alice").sign_in()
    alice.page.evaluate(
        """([jid, pw]) => {
            function onConnectionStatusChanged (status) {
              if (status == 'XMPP_CONNECTION_DISCONNECTED') {
                ocwp.login(jid, pw);
              }
            }
            ocwp.subscribeConnectionStatus(onConnectionStatusChanged);
        }""",
        [ALICE, "pw-alice"],
    )
    site.wire.cut()
    site.wire.mend()
    alice.page.wait_for_function(f"() => statuses.length > 5 && ocwp.getConnectionStatus() === '{READY}'")
    assert alice.statuses[:5] == ["IDLE", *CONNECTS, "DISCONNECTED"]
    assert alice.statuses[-3:] == CONNECTS
    assert set(alice.statuses[5:-3]) <= {"CONNECTING", "CONNFAIL"}  # tries while the wire was still cut
    alice.page.evaluate("ocwp.logout()")
    assert alice.page.evaluate("ocwp.getConnectionStatus()") == "XMPP_CONNECTION_IDLE"


def test_subscriptions_end(visit: Visit) -> None:
    """Unsubscribing drops one callback if it is named, else all; a callback that fails harms no other."""
    alice = visit("alice")
    alice.init()
    seen = alice.page.evaluate(
        """async () => {
            const heard = [];
            const a = () => { heard.push("a"); throw new Error("the site's own"); };
            const b = () => heard.push("b");
            const settled = (status) => new Promise((resolve) => {
                const look = () => ocwp.getConnectionStatus() === status ? resolve() : setTimeout(look, 5);
                look();
            });
            ocwp.subscribeConnectionStatus(a);
            ocwp.subscribeConnectionStatus(b);
            ocwp.login("alice", "pw-alice");
            await settled("XMPP_CONNECTION_CONNECTED_READY");
            const both = heard.splice(0).join("");
            ocwp.unsubscribeConnectionStatus(a);
            ocwp.logout();
            const one = heard.splice(0).join("");
            ocwp.unsubscribeConnectionStatus();
            ocwp.login("alice", "pw-alice");
            await settled("XMPP_CONNECTION_CONNECTED_READY");
            return [both, one, heard.join("")];
        }"""
    )
    assert seen == ["ababab", "b", ""]
