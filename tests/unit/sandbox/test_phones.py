"""`/phones/*`: what the host page asks and does for the people whose phones it shows."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from support.people import ADMIN, ALERTS, ALICE, BOB, CAROL, DAVE, LUNCH, OFFICE
from support.sandbox import Caller, Registered, register

DEVICE = {"device": "iPhone 15", "os": "iOS 17.4", "screenWidth": "393", "screenHeight": "852"}


def launch_data(url: str) -> dict[str, Any]:
    """What the fragment of a launch URL carries."""
    packed = url.partition("#oc=")[2]
    data: dict[str, Any] = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    return data


def refused(call: Caller, path: str, body: Any, status: int, code: str) -> dict[str, str]:
    """The error with which this POST is refused."""
    answer = call("POST", path, body)
    assert answer.json is not None
    error: dict[str, str] = answer.json["error"]
    assert (answer.status_code, error["code"], set(error)) == (status, code, {"code", "message", "hint"})
    return error


class TestState:
    def test_it_lists_users_and_approved_apps(self, call: Caller, lunch: Registered) -> None:
        """The page learns who is there and which apps can be opened; pending ones can't."""
        other = register(call, "Other")
        call.patch(f"/_sandbox/apps/{other.app_id}", {"status": "pending"})
        state = call.get("/phones/state")
        assert (state["domain"], state["groupDomain"]) == ("onechat.localhost", "muc.onechat.localhost")
        assert [app["appId"] for app in state["apps"]] == [lunch.app_id]
        alice = next(user for user in state["users"] if user["jid"] == ALICE)
        assert alice["avatar"].startswith("data:image/svg+xml,")
        assert {user["jid"]: user["admin"] for user in state["users"]}[ADMIN] is True

    def test_contacts_are_everybody_else(self, call: Caller) -> None:
        """A phone's contacts are all users but its own."""
        assert sorted(user["jid"] for user in call.get(f"/phones/{ALICE}/contacts")) == sorted(
            user["jid"] for user in call.get("/phones/state")["users"] if user["jid"] != ALICE
        )

    def test_groups_are_those_one_is_in(self, call: Caller) -> None:
        """Dave is in the office, not in the lunch club."""
        assert [group["jid"] for group in call.get(f"/phones/{DAVE}/groups")] == [OFFICE]
        (lunch, _) = call.get(f"/phones/{ALICE}/groups")
        assert lunch == {"jid": LUNCH, "name": "Lunch club", "owner": ALICE, "members": [ALICE, BOB, CAROL]}

    @pytest.mark.parametrize("jid", ["nobody@onechat.localhost", ALERTS, LUNCH, "@", "a%2Fb@x", "%00"])
    def test_an_unknown_phone_is_an_error(self, call: Caller, jid: str) -> None:
        """A JID without a user, or none, is 404 or 400."""
        assert call("GET", f"/phones/{jid}/threads").status_code in (400, 404)


class TestMessages:
    def test_a_typed_message_arrives(self, call: Caller) -> None:
        """The answer is the message as its writer sees it; the other one finds it unread."""
        message = call.post(f"/phones/{ALICE}/messages", {"thread": BOB, "text": "hello"})
        assert message["from"] == {"jid": ALICE, "name": "Alice Tan"}
        assert message["at"].endswith("Z")
        (thread,) = call.get(f"/phones/{BOB}/threads")
        assert (thread["id"], thread["title"], thread["unread"]) == (ALICE, "Alice Tan", 1)
        assert thread["last"] == {**message, "thread": ALICE}

    def test_a_typed_group_message_arrives(self, call: Caller) -> None:
        """In a group's thread the text goes to the group."""
        call.post(f"/phones/{ALICE}/messages", {"thread": LUNCH, "text": "noon?"})
        (message,) = call.get(f"/phones/{CAROL}/messages?thread={LUNCH}")
        assert (message["kind"], message["to"], message["text"]) == ("group", LUNCH, "noon?")

    def test_reading_clears_the_count(self, call: Caller) -> None:
        """After `read` nothing is unread."""
        call.post(f"/phones/{ALICE}/messages", {"thread": BOB, "text": "hello"})
        call.post(f"/phones/{BOB}/read", {"thread": ALICE})
        assert call.get(f"/phones/{BOB}/threads")[0]["unread"] == 0

    def test_history_is_paged(self, call: Caller) -> None:
        """`limit` and `before` page backwards."""
        for number in range(5):
            call.post(f"/phones/{ALICE}/messages", {"thread": BOB, "text": str(number)})
        page = call.get(f"/phones/{BOB}/messages?thread={ALICE}&limit=2")
        assert [m["text"] for m in page] == ["3", "4"]
        older = call.get(f"/phones/{BOB}/messages?thread={ALICE}&limit=2&before={page[0]['id']}")
        assert [m["text"] for m in older] == ["1", "2"]

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=-1", "before=٣", "limit=" + "9" * 99])
    def test_a_page_that_makes_no_sense_is_refused(self, call: Caller, query: str) -> None:
        """Bounds are checked."""
        assert call("GET", f"/phones/{BOB}/messages?{query}").status_code == 400

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"thread": BOB, "text": ""}, 400, "bad_argument"),
            ({"thread": BOB}, 400, "bad_argument"),
            ({"text": "x"}, 400, "bad_argument"),
            ({"thread": 3, "text": "x"}, 400, "bad_argument"),
            ({"thread": "nobody@onechat.localhost", "text": "x"}, 404, "not_found"),
            ({"thread": ALERTS, "text": "x"}, 403, "forbidden"),
            ({"thread": OFFICE.replace("office", "other"), "text": "x"}, 404, "not_found"),
            ([], 400, "bad_argument"),
        ],
    )
    def test_what_cant_be_written_is_refused(self, call: Caller, body: Any, status: int, code: str) -> None:
        """Wrong bodies, unknown threads and the thread of alerts."""
        refused(call, f"/phones/{ALICE}/messages", body, status, code)


class TestRelay:
    def test_to_people(self, call: Caller) -> None:
        """The text goes to each recipient once, from the user; the value is null."""
        body = {"recipient": [BOB, CAROL, BOB.upper()], "textMessage": "hi"}
        assert call.post(f"/phones/{ALICE}/relay", body) == {"value": None}
        for jid in (BOB, CAROL):
            assert [(m["text"], m["from"]["jid"]) for m in call.get(f"/phones/{jid}/messages")] == [("hi", ALICE)]

    def test_to_a_group(self, call: Caller) -> None:
        """The value is the group's JID; invitees are ignored beside it."""
        body = {"groupJid": LUNCH, "invitees": [DAVE], "textMessage": "hi"}
        assert call.post(f"/phones/{ALICE}/relay", body) == {"value": LUNCH}
        assert call.get(f"/phones/{DAVE}/messages") == []
        assert [m["text"] for m in call.get(f"/phones/{BOB}/messages")] == ["hi"]

    def test_to_a_new_group(self, call: Caller) -> None:
        """Without a group one is created with the invitees, and the text is its first message."""
        group = call.post(f"/phones/{ALICE}/relay", {"invitees": [BOB, DAVE], "textMessage": "hi"})["value"]
        made = next(one for one in call.get(f"/phones/{DAVE}/groups") if one["jid"] == group)
        assert (made["owner"], set(made["members"])) == (ALICE, {ALICE, BOB, DAVE})
        assert [m["text"] for m in call.get(f"/phones/{DAVE}/messages?thread={group}")] == ["hi"]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"recipient": [BOB, "nobody@onechat.localhost"], "textMessage": "x"}, 404, "refused"),
            ({"invitees": [BOB, "nobody@onechat.localhost"], "textMessage": "x"}, 404, "refused"),
            ({"groupJid": "nothing@muc.onechat.localhost", "textMessage": "x"}, 404, "refused"),
            ({"recipient": [], "textMessage": "x"}, 400, "bad_argument"),
            ({"recipient": BOB, "textMessage": "x"}, 400, "bad_argument"),
            ({"recipient": [BOB, 3], "textMessage": "x"}, 400, "bad_argument"),
            ({"recipient": [LUNCH], "textMessage": "x"}, 400, "bad_argument"),
            ({"recipient": [BOB], "textMessage": ""}, 400, "bad_argument"),
            ({"groupJid": BOB, "textMessage": "x"}, 400, "bad_argument"),
            ({"textMessage": "x"}, 400, "bad_argument"),
        ],
    )
    def test_all_get_it_or_none(self, call: Caller, body: Any, status: int, code: str) -> None:
        """A wrong argument is refused in the bridge's words, and nothing was sent to anybody."""
        before = len(call.get("/_sandbox/state")["groups"])
        refused(call, f"/phones/{ALICE}/relay", body, status, code)
        assert call.get(f"/phones/{BOB}/messages") == []
        assert len(call.get("/_sandbox/state")["groups"]) == before

        refused(call, f"/phones/{ALICE}/relay/check", body, status, code)

    @pytest.mark.parametrize("path", ["relay", "relay/check"])
    def test_to_a_group_one_is_not_in(self, call: Caller, path: str) -> None:
        """Dave can't relay to the lunch club."""
        refused(call, f"/phones/{DAVE}/{path}", {"groupJid": LUNCH, "textMessage": "x"}, 403, "refused")

    def test_to_more_than_a_group_takes(self, call: Caller) -> None:
        """A check counts the user among the members."""
        people = [f"p{number}@onechat.localhost" for number in range(1000)]
        for jid in people:
            call.post("/_sandbox/users", {"jid": jid, "name": "P"})
        refused(call, f"/phones/{ALICE}/relay/check", {"invitees": people, "textMessage": "x"}, 400, "bad_argument")

    def test_a_check_sends_nothing(self, call: Caller) -> None:
        """It answers with the JIDs in canonical form, each once."""
        body = {"recipient": [BOB.upper(), BOB, CAROL], "textMessage": "x"}
        assert call.post(f"/phones/{ALICE}/relay/check", body) == {"recipient": [BOB, CAROL]}
        assert call.get(f"/phones/{BOB}/messages") == []


class TestLaunch:
    def test_the_url_carries_the_launch_data(self, call: Caller, lunch: Registered) -> None:
        """All of docs/protocol.md's launch data, for a page at a host name of this user and this app."""
        opened = call.post(f"/phones/{ALICE}/launch", {"appId": lunch.app_id, "device": DEVICE})
        assert re.fullmatch(r"http://alice\.lunch-[0-9a-f]{8}\.onechat\.localhost:5000", opened["origin"])
        assert opened["url"].startswith(f"{opened['origin']}/#oc=")
        data = launch_data(opened["url"])
        session_id = data.pop("sessionId")
        avatar = data["vCard"].pop("avatar")
        assert avatar.startswith("data:image/svg+xml")
        assert data == {
            "v": 1,
            "host": "http://onechat.localhost",
            "app": {"id": lunch.app_id, "name": "Lunch"},
            "vCard": {"jid": ALICE, "userName": "Alice Tan"},
            "device": DEVICE,
        }
        body = {"jid": ALICE, "sessionId": session_id, "appId": lunch.app_id, "apiKey": lunch.api_key}
        assert call.api("authenticateUser", body)[1]["isAuthenticated"] == "True"

    def test_each_launch_is_a_session_for_the_app(self, call: Caller, lunch: Registered) -> None:
        """Two launches are two sessions, both alive, both noted with the app."""
        ids = {
            launch_data(call.post(f"/phones/{ALICE}/launch", {"appId": lunch.app_id})["url"])["sessionId"]
            for _ in range(2)
        }
        assert len(ids) == 2
        sessions = call.get("/_sandbox/state")["sessions"]
        assert [(one["jid"], one["appId"], one["state"]) for one in sessions] == [(ALICE, lunch.app_id, "active")] * 2

    def test_a_site_of_its_own_is_opened_as_it_is(self, call: Caller) -> None:
        """An app elsewhere keeps its URL, path and query."""
        app = register(call, url="https://Lunch.example:8443/m/app?lang=en")
        opened = call.post(f"/phones/{ALICE}/launch", {"appId": app.app_id})
        assert opened["url"].startswith("https://Lunch.example:8443/m/app?lang=en#oc=")
        assert opened["origin"] == "https://lunch.example:8443"

    @pytest.mark.parametrize("status", ["pending", "suspended"])
    def test_only_approved_apps_open(self, call: Caller, lunch: Registered, status: str) -> None:
        """Others are refused, and no session is issued."""
        call.patch(f"/_sandbox/apps/{lunch.app_id}", {"status": status})
        refused(call, f"/phones/{ALICE}/launch", {"appId": lunch.app_id}, 403, "forbidden")
        assert call.get("/_sandbox/state")["sessions"] == []

    def test_wrong_arguments_are_refused(self, call: Caller, lunch: Registered) -> None:
        """An unknown app, and device texts that are none."""
        refused(call, f"/phones/{ALICE}/launch", {"appId": "app-none"}, 404, "not_found")
        refused(call, f"/phones/{ALICE}/launch", {}, 400, "bad_argument")
        for device in ({"os": 3}, {"os": "x" * 101}, {"os": "a\nb"}):
            body = {"appId": lunch.app_id, "device": device}
            refused(call, f"/phones/{ALICE}/launch", body, 400, "bad_argument")
