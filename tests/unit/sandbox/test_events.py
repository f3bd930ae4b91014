"""Server-sent events: live, resumable, and no thread is kept for a client that has gone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miniapp.sandbox import SandboxServer
from miniapp.sandbox.web.events import RING, EventHub
from support.people import ADMIN, ALICE, BOB, CAROL, DAVE, ERIN, LUNCH, ORIGIN
from support.sandbox import Caller, Registered


def here() -> bool:
    return False


def parse(frame: str) -> tuple[int, str, Any]:
    """Number, name and data of one event as the stream writes it."""
    lines = dict(line.split(": ", 1) for line in frame.strip().splitlines())
    return int(lines["id"]), lines["event"], json.loads(lines["data"])


def follow(hub: EventHub, last_id: str | None = None, gone: Callable[[], bool] = here) -> Iterator[str]:
    """A stream of `hub` that is open: its greeting is read."""
    stream = hub.stream(last_id, gone)
    assert next(stream).startswith(":")
    return stream


@pytest.fixture
def hub() -> EventHub:
    return EventHub(heartbeat=0.02, poll=0.01)


class TestHub:
    def test_events_come_in_order_with_rising_numbers(self, hub: EventHub) -> None:
        """What is published after a stream opened comes through it; what came before does not."""
        hub.publish("state")
        stream = follow(hub)
        hub.publish("threads", {"jid": ALICE})
        hub.publish("reload")
        assert [parse(next(stream)) for _ in range(2)] == [(2, "threads", {"jid": ALICE}), (3, "reload", {})]

    def test_a_silent_stream_beats(self, hub: EventHub) -> None:
        """A comment comes from time to time, so that no proxy takes the stream for dead."""
        assert next(follow(hub)).startswith(": ")

    def test_a_stream_resumes_after_the_last_event_seen(self, hub: EventHub) -> None:
        """With `Last-Event-ID` nothing is missed and nothing comes twice."""
        for number in range(5):
            hub.publish("threads", {"jid": str(number)})
        stream = follow(hub, "3")
        assert [parse(next(stream))[0] for _ in range(2)] == [4, 5]

    @pytest.mark.parametrize("last_id", ["0", "1", "99999", "x", "-1", "", "٣", "9" * 5000])
    def test_a_stream_that_cant_resume_is_told_to_look_again(self, hub: EventHub, last_id: str) -> None:
        """Too old, from another run, or nonsense: `state` and `threads`, for all phones, then what is new."""
        for _ in range(RING + 5):
            hub.publish("reload")
        stream = follow(hub, last_id)
        assert [parse(next(stream))[1:] for _ in range(2)] == [("state", {}), ("threads", {})]
        hub.publish("session", {})
        assert parse(next(stream))[:2] == (RING + 6, "session")

    def test_a_slow_reader_is_told_to_look_again(self, hub: EventHub) -> None:
        """A stream that falls behind the events that are kept does not pretend to be whole."""
        stream = follow(hub)
        for _ in range(RING + 1):
            hub.publish("reload")
        assert parse(next(stream))[1] == "state"

    def test_streams_end_when_the_hub_closes(self, hub: EventHub) -> None:
        """Closing ends every stream, and the count of open ones is zero again."""
        stream = follow(hub)
        assert hub.open_streams == 1
        hub.close()
        assert list(stream) == []
        assert hub.open_streams == 0

    def test_a_stream_ends_when_its_client_has_gone(self, hub: EventHub) -> None:
        """A reader that has gone costs nothing any more."""
        answers = iter([False, True])
        assert list(follow(hub, gone=lambda: next(answers))) == []
        assert hub.open_streams == 0


class TestRoute:
    @pytest.fixture
    def stream(self, call: Caller) -> Iterator[Iterator[str]]:
        """The page's stream, in-process."""
        answer = call.client.get("/phones/events", base_url=ORIGIN, headers={"X-Sandbox-Token": call.token})
        assert answer.mimetype == "text/event-stream"
        lines = (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answer.response)
        assert next(lines).startswith(":")
        yield lines
        answer.close()

    def events(self, stream: Iterator[str], count: int) -> list[tuple[str, Any]]:
        return [parse(next(stream))[1:] for _ in range(count)]

    def test_a_message_comes_for_every_phone_it_reaches(self, call: Caller, stream: Iterator[str]) -> None:
        """Each phone gets its own event with its own thread, the sender's phone too."""
        call.post(f"/phones/{ALICE}/messages", {"thread": BOB, "text": "hello"})
        found = {data["jid"]: data for name, data in self.events(stream, 2) if name == "message"}
        assert {jid: data["thread"] for jid, data in found.items()} == {ALICE: BOB, BOB: ALICE}
        assert found[BOB]["message"] == call.get(f"/phones/{BOB}/messages")[0]

    def test_a_broadcast_comes_for_every_user(self, call: Caller, lunch: Registered, stream: Iterator[str]) -> None:
        """One event for each user of the domain."""
        call.api("massBroadcast", {"domain": "onechat.localhost", "message": "drill"}, lunch.api_key)
        assert {data["jid"] for _, data in self.events(stream, 6)} == {ALICE, BOB, CAROL, DAVE, ERIN, ADMIN}

    def test_what_changes_is_announced(self, call: Caller, lunch: Registered, stream: Iterator[str]) -> None:
        """Users, apps, sessions, reads, new groups and reloads each have their event."""
        call.post("/_sandbox/sessions", {"jid": BOB, "appId": lunch.app_id})
        call.post("/_sandbox/sessions/revoke", {"jid": BOB})
        call.post("/_sandbox/users", {"name": "Frank"})
        call.patch(f"/_sandbox/apps/{lunch.app_id}", {"status": "suspended"})
        call.post("/_sandbox/reload")
        assert self.events(stream, 4) == [
            ("session", {"jid": BOB, "appId": lunch.app_id}),
            ("state", {}),
            ("state", {}),
            ("reload", {}),
        ]

    @pytest.mark.parametrize("how", ["app", "user", "reset"])
    def test_what_ends_sessions_says_so(self, call: Caller, lunch: Registered, stream: Iterator[str], how: str) -> None:
        """Removing the app or the user, and a reset, end sessions as well."""
        call.post("/_sandbox/sessions", {"jid": BOB, "appId": lunch.app_id})
        if how == "reset":
            call.post("/_sandbox/reset")
        else:
            call.delete(f"/_sandbox/apps/{lunch.app_id}" if how == "app" else f"/_sandbox/users/{BOB}")
        assert self.events(stream, 2) == [("session", {"jid": BOB, "appId": lunch.app_id}), ("state", {})]

    def test_reading_is_announced_once(self, call: Caller, stream: Iterator[str]) -> None:
        """Reading what is read already is no news, so that two pages don't keep each other busy."""
        call.post(f"/phones/{ALICE}/messages", {"thread": LUNCH, "text": "noon"})
        for _ in range(2):
            call.post(f"/phones/{BOB}/read", {"thread": LUNCH})
        call.post("/_sandbox/reload")
        assert self.events(stream, 5)[3:] == [("read", {"jid": BOB, "thread": LUNCH}), ("reload", {})]

    def test_a_reset_makes_the_page_look_again(self, call: Caller, stream: Iterator[str]) -> None:
        """After a reset come `state` and `threads`, which is for all phones, however many users there are."""
        call.post("/_sandbox/reset")
        assert self.events(stream, 2) == [("state", {}), ("threads", {})]


class TestOnARealPort:
    def test_events_arrive_and_the_thread_is_given_back(
        self, server: SandboxServer, eventually: Callable[[Callable[[], bool]], None]
    ) -> None:
        """A message arrives live over the socket; when the client hangs up, its stream ends."""
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        client.request("GET", "/phones/events", headers={"X-Sandbox-Token": server.token})
        answer = client.getresponse()
        assert answer.readline().startswith(b":")
        assert answer.readline() == b"\n"
        server.sandbox.events.publish("reload")
        assert [answer.readline() for _ in range(3)] == [b"id: 1\n", b"event: reload\n", b"data: {}\n"]
        assert server.sandbox.events.open_streams == 1
        answer.close()
        client.close()
        eventually(lambda: server.sandbox.events.open_streams == 0)
