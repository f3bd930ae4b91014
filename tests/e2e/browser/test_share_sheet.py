"""What a share sheet shows is what is sent: every recipient, the whole text, and which app asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from support.phones import Host
from support.probe import create_probe

DOMAIN = "onechat.localhost"
NAMES = ["bob", "carol", "dave", "erin", "g1", "g2", "g3", "g4", "g5"]


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host(create_probe)


def test_all_recipients_can_be_seen(host: Host):
    """Nine recipients are counted, each has its JID, and the list scrolls to the last; one name may be two people's."""
    for name in NAMES[4:]:
        host.onechat.controls.call("POST", "/_sandbox/users", {"jid": f"{name}@{DOMAIN}", "name": "Bob Rahman"})
    phone = host.open_app(0)
    jids = [f"{name}@{DOMAIN}" for name in NAMES]
    phone.call("message.single.relay", recipient=jids, textMessage="hello")
    expect(phone.get("share-count")).to_have_text("To 9 people")
    rows = phone.get("share-recipients").get_by_role("listitem")
    expect(rows).to_have_count(9)
    for row, jid in zip(rows.all(), jids, strict=True):
        expect(row).to_contain_text(jid)
    expect(rows.last).not_to_be_in_viewport()
    phone.get("more").click()
    rows.last.scroll_into_view_if_needed()
    expect(phone.get("more")).to_have_count(0)
    expect(rows.last).to_be_in_viewport()
    expect(phone.get("share-send")).to_be_in_viewport()


def test_the_whole_text_can_be_seen(host: Host):
    """Blank lines and characters that hide something are marks; a text that is too long scrolls, and says so."""
    phone = host.open_app(0)
    text = "Hi!" + "\n" * 39 + "transfer \u202etoday\u202c " + "x" * 2000 + " END"
    phone.call("message.single.relay", recipient=[f"bob@{DOMAIN}"], textMessage=text)
    shown = phone.get("share-text")
    expect(shown).to_contain_text("Hi! 38 blank lines transfer U+202EtodayU+202C")
    expect(phone.get("share-note")).to_be_visible()
    expect(phone.get("more")).to_be_visible()
    assert shown.evaluate("quote => quote.scrollWidth <= quote.clientWidth")
    phone.get("share-send").click()
    expect(phone.app.locator("#answer")).to_contain_text('"ok":true')
    assert [message["text"] for message in host.onechat.messages(host.onechat.bob)] == [text]


@pytest.mark.parametrize(
    ("call", "args", "says"),
    [
        ("message.single.relay", {"recipient": [f"bob@{DOMAIN}", f"nobody@{DOMAIN}"]}, "nobody"),
        ("message.group.relay", {"invitees": [f"nobody@{DOMAIN}"]}, "nobody"),
        ("message.group.relay", {"groupJid": f"nothing@muc.{DOMAIN}"}, "nothing"),
    ],
)
def test_faults_are_told_before_the_person_is_asked(host: Host, call: str, args: dict[str, object], says: str):
    """The page is refused, and no sheet opens."""
    phone = host.open_app(0)
    phone.call(call, **args, textMessage="hello")
    answer = phone.answer()
    assert answer["error"]["code"] == "refused"
    assert says in answer["error"]["message"]
    expect(phone.get("share")).to_have_count(0)


def test_two_apps_of_one_name_are_told_apart(host: Host):
    """The list, the title bar and the sheets show where an app comes from."""
    host.onechat.register("Lunch", "https://lunch.example/")
    phone = host.phone(0)
    phone.get("tab-apps").click()
    expect(phone.get("app").filter(has_text="lunch.example")).to_have_count(1)
    phone.get("app").filter(has_text="Lunch").filter(has_text=DOMAIN).click()
    phone.call("user.selectContacts")
    expect(phone.get("asker").get_by_test_id("app-site")).to_contain_text(f"{DOMAIN}:")
    expect(phone.get("app-site").first).to_contain_text(f"{DOMAIN}:")
