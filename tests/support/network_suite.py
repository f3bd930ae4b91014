"""Tests that every network passes. A test module inherits `NetworkSuite` and has the fixture `network`.

The users are those of the packaged seed; its group "Lunch club" has the members alice, bob and carol.
"""

from __future__ import annotations

import threading

import pytest

from miniapp.errors import MessageError
from miniapp.sandbox.network import Delivered, Network, Sender
from miniapp.sandbox.store.records import Forbidden, NotFound
from support.people import ADMIN, ALERTS, ALICE, BOB, CAROL, DAVE, DOMAIN, ERIN, LUNCH

EVERYBODY = {ALICE, BOB, CAROL, DAVE, ERIN, ADMIN}
FROM_ALICE, FROM_BOB, FROM_DAVE = Sender(ALICE, "Alice Tan"), Sender(BOB, "Bob Rahman"), Sender(DAVE, "Dave Nair")
FROM_APP = Sender(ALERTS, "Lunch")
SECONDS = 5  # to wait for a live message: many times what any network here takes


class NetworkSuite:
    def test_a_direct_message_is_in_both_histories(self, network: Network) -> None:
        """Sender and recipient each find the message in the thread with the other."""
        network.direct(FROM_ALICE, BOB, "hello")
        (sent,), (received,) = network.history(ALICE), network.history(BOB)
        assert (sent.thread, received.thread) == (BOB, ALICE)
        assert (received.kind, received.text, received.sender, received.to) == ("direct", "hello", FROM_ALICE, BOB)
        assert sent.id == received.id

    def test_a_message_to_oneself_arrives_once(self, network: Network) -> None:
        """A note to oneself is one message in one thread."""
        network.direct(FROM_ALICE, ALICE, "note")
        assert [(m.thread, m.text) for m in network.history(ALICE)] == [(ALICE, "note")]

    def test_an_alert_comes_from_the_host_under_the_apps_name(self, network: Network) -> None:
        """What the host sends to a user is an alert, in the thread of alerts."""
        network.direct(FROM_APP, BOB, "ready")
        (alert,) = network.history(BOB)
        assert (alert.kind, alert.thread, alert.sender.name) == ("alert", ALERTS, "Lunch")

    def test_a_group_message_reaches_the_members_alone(self, network: Network) -> None:
        """Everybody in the group has it once, nobody else has it."""
        network.group(FROM_ALICE, LUNCH, "noon?")
        for jid in EVERYBODY:
            expected = ["noon?"] if jid in (ALICE, BOB, CAROL) else []
            assert [m.text for m in network.history(jid, LUNCH)] == expected

    def test_the_host_may_write_to_any_group(self, network: Network) -> None:
        """A mini app's backend is a member of no group, and writes to them under the app's name."""
        network.group(FROM_APP, LUNCH, "it is noon")
        (message,) = network.history(CAROL)
        assert (message.kind, message.thread, message.sender) == ("group", LUNCH, FROM_APP)

    def test_only_members_write_to_a_group(self, network: Network) -> None:
        """Somebody who is not in the group is refused, and nothing arrives."""
        with pytest.raises(Forbidden):
            network.group(FROM_DAVE, LUNCH, "let me in")
        assert network.history(ALICE) == []

    def test_a_broadcast_reaches_everybody_once(self, network: Network) -> None:
        """Every user has it exactly once, those with no phone open too."""
        with network.subscribe(ALICE):
            network.broadcast(FROM_APP, DOMAIN, "fire drill")
        for jid in EVERYBODY:
            assert [(m.text, m.thread, m.kind) for m in network.history(jid)] == [("fire drill", ALERTS, "alert")]

    def test_a_broadcast_to_another_domain_is_refused(self, network: Network) -> None:
        """A domain that the network doesn't serve is not found."""
        with pytest.raises(NotFound):
            network.broadcast(FROM_APP, "elsewhere.example", "hello")

    def test_unknown_addressees_are_refused(self, network: Network) -> None:
        """A user or a group that doesn't exist is not found."""
        with pytest.raises(NotFound):
            network.direct(FROM_ALICE, "nobody@onechat.localhost", "hello")
        with pytest.raises(NotFound):
            network.group(FROM_ALICE, "nothing@muc.onechat.localhost", "hello")

    @pytest.mark.parametrize("text", ["", "  ", "nul\0", "vt\x0b", "\ufffe", "\ud800", "x" * 4097, "é" * 2049])
    def test_a_text_that_cant_be_sent_is_refused(self, network: Network, text: str) -> None:
        """Empty, too long or not XML: a `MessageError`, and nothing arrives."""
        with pytest.raises(MessageError):
            network.direct(FROM_ALICE, BOB, text)
        with pytest.raises(MessageError):
            network.group(FROM_ALICE, LUNCH, text)
        with pytest.raises(MessageError):
            network.broadcast(FROM_APP, DOMAIN, text)
        assert network.history(BOB) == []

    @pytest.mark.parametrize("text", ["x" * 4096, "a\r\nb\tc", "]]></body>&amp;<x/>", "🍜 麺", " padded "])
    def test_any_other_text_arrives_unchanged(self, network: Network, text: str) -> None:
        """Markup, line ends, emoji and the longest text arrive character for character."""
        network.direct(FROM_ALICE, BOB, text)
        assert [m.text for m in network.history(BOB)] == [text]

    def test_a_new_group_has_its_owner_and_members(self, network: Network) -> None:
        """Creating a group puts owner and members into it, each once, on the groups' domain."""
        group = network.create_group(ALICE, [BOB, BOB, ALICE, DAVE], "Cooks")
        assert (group.name, group.owner, set(group.members)) == ("Cooks", ALICE, {ALICE, BOB, DAVE})
        assert len(group.members) == 3
        assert group.jid.endswith("@muc.onechat.localhost")
        assert group in network.groups(DAVE)
        assert group not in network.groups(CAROL)

    def test_a_group_without_a_name_gets_one(self, network: Network) -> None:
        """A group is never nameless."""
        assert network.create_group(ALICE, [BOB]).name

    def test_an_existing_group_is_opened_and_no_member_invited_twice(self, network: Network) -> None:
        """With the JID of a group that exists, only those not in it are added, and its name stays."""
        group = network.create_group(BOB, [ALICE, DAVE], "Other", LUNCH)
        assert (group.jid, group.name, group.owner) == (LUNCH, "Lunch club", ALICE)
        assert sorted(group.members) == [ALICE, BOB, CAROL, DAVE]
        network.group(FROM_ALICE, LUNCH, "welcome")
        assert len(network.history(DAVE)) == 1

    def test_another_users_group_is_not_opened(self, network: Network) -> None:
        """Who is not in a group can't get into it, or get others into it, by its JID."""
        with pytest.raises(Forbidden):
            network.create_group(DAVE, [ERIN], "Mine", LUNCH)
        assert LUNCH not in [group.jid for group in network.groups(DAVE)]

    def test_a_group_of_unknown_people_is_refused(self, network: Network) -> None:
        """One unknown member, and no group comes to be."""
        before = network.groups()
        with pytest.raises(NotFound):
            network.create_group(ALICE, [BOB, "nobody@onechat.localhost"], "Ghosts")
        assert network.groups() == before

    def test_history_is_paged_from_its_end(self, network: Network) -> None:
        """`limit` takes the newest, `before` goes further back; each page is oldest first, with rising ids."""
        for number in range(5):
            network.direct(FROM_ALICE, BOB, str(number))
        last = network.history(BOB, ALICE, limit=2)
        assert [m.text for m in last] == ["3", "4"]
        assert [m.text for m in network.history(BOB, ALICE, before=last[0].id, limit=2)] == ["1", "2"]
        ids = [m.id for m in network.history(BOB)]
        assert ids == sorted(set(ids))

    def test_history_of_one_thread_holds_no_other(self, network: Network) -> None:
        """Threads are kept apart, and the history without a thread has them all."""
        network.direct(FROM_ALICE, BOB, "direct")
        network.group(FROM_ALICE, LUNCH, "group")
        assert [m.text for m in network.history(BOB, LUNCH)] == ["group"]
        assert [m.text for m in network.history(BOB)] == ["direct", "group"]

    def test_threads_are_newest_first_with_unread_counts(self, network: Network) -> None:
        """A thread shows its last message and how many are unread; one's own never are."""
        network.direct(FROM_BOB, ALICE, "one")
        network.direct(FROM_BOB, ALICE, "two")
        network.direct(FROM_ALICE, BOB, "answer")
        network.group(FROM_BOB, LUNCH, "noon")
        assert [(t.id, t.title, t.last.text, t.unread) for t in network.threads(ALICE)] == [
            (LUNCH, "Lunch club", "noon", 1),
            (BOB, "Bob Rahman", "answer", 2),
        ]

    def test_reading_a_thread_clears_its_count_alone(self, network: Network) -> None:
        """Reading says whether it changed anything, leaves other threads be, and later messages count again."""
        network.direct(FROM_BOB, ALICE, "one")
        network.group(FROM_BOB, LUNCH, "noon")
        assert network.mark_read(ALICE, BOB)
        assert not network.mark_read(ALICE, BOB)
        assert {t.id: t.unread for t in network.threads(ALICE)} == {BOB: 0, LUNCH: 1}
        network.direct(FROM_BOB, ALICE, "two")
        assert {t.id: t.unread for t in network.threads(ALICE)} == {BOB: 1, LUNCH: 1}

    def test_a_subscriber_gets_what_arrives_live(self, network: Network) -> None:
        """Messages come with whose they are and in which thread, without being asked for."""
        with network.subscribe(BOB) as live:
            network.direct(FROM_ALICE, BOB, "hello")
            network.direct(FROM_ALICE, CAROL, "not for bob")
            network.group(FROM_ALICE, LUNCH, "noon")
            first, second = live.get(SECONDS), live.get(SECONDS)
        assert first is not None
        assert second is not None
        assert (first.jid, first.message.thread, first.message.text) == (BOB, ALICE, "hello")
        assert (second.jid, second.message.thread, second.message.text) == (BOB, LUNCH, "noon")
        assert [first.message, second.message] == network.history(BOB)

    def test_a_subscriber_to_everybody_gets_each_copy(self, network: Network) -> None:
        """Without a user, a subscription has every user's copy, each once."""
        with network.subscribe() as live:
            network.broadcast(FROM_APP, DOMAIN, "fire drill")
            copies = [live.get(SECONDS) for _ in EVERYBODY]
        assert {copy.jid for copy in copies if copy} == EVERYBODY

    def test_a_closed_subscription_ends(self, network: Network) -> None:
        """Iterating ends with the subscription, and what arrives later is not in it."""
        live = network.subscribe(BOB)
        network.direct(FROM_ALICE, BOB, "hello")
        first = live.get(SECONDS)
        live.close()
        network.direct(FROM_ALICE, BOB, "too late")
        assert first is not None
        assert list(live) == []

    def test_all_hear_in_the_order_of_the_messages(self, network: Network) -> None:
        """With many senders at once, ids rise for every listener, and nothing is lost or doubled."""
        heard: list[Delivered] = []
        stop = network.listen(heard.append, BOB)
        senders = [
            threading.Thread(target=lambda: [network.direct(FROM_ALICE, BOB, f"{n}") for n in range(20)])
            for _ in range(4)
        ]
        for thread in senders:
            thread.start()
        for thread in senders:
            thread.join()
        stop()
        ids = [delivered.message.id for delivered in heard]
        assert ids == sorted(set(ids))
        assert ids == [m.id for m in network.history(BOB, limit=100)]
