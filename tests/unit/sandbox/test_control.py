"""`/_sandbox/*`: the controls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from miniapp import contract
from support.people import ADMIN, ALICE, BOB, LUNCH, OFFICE, ORIGIN
from support.sandbox import Caller, Registered

GOOD = {"status": "Success", "description": "-"}
SEND = {"jid": BOB, "message": "Hi"}
OPTIONS = {"approve": "at_once", "errors": "as_http", "sessions": "host", "sessionLifetime": 86400}


def refusal(call: Caller, method: str, path: str, body: Any) -> tuple[int, str]:
    """Status and message with which this call is refused."""
    answer = call(method, path, body)
    assert answer.status_code >= 400
    assert answer.json is not None
    return answer.status_code, answer.json["error"]["message"]


class TestUsers:
    def test_a_user_is_added_changed_and_removed(self, call: Caller) -> None:
        """Each answer is the user as it is now."""
        added = call.post("/_sandbox/users", {"name": "Frank Ho"})
        assert (added["jid"], added["name"], added["admin"]) == ("frank.ho@onechat.localhost", "Frank Ho", False)
        path = f"/_sandbox/users/{added['jid']}"
        assert call.patch(path, {"admin": True})["admin"] is True
        renamed = call.patch(path, {"name": "Francis Ho"})
        assert (renamed["name"], renamed["admin"]) == ("Francis Ho", True)
        call.delete(path)
        assert call("DELETE", path).status_code == 404

    def test_a_jid_of_ones_own(self, call: Caller) -> None:
        """A given JID is kept in canonical form; a taken one is a conflict, one of another domain is refused."""
        assert call.post("/_sandbox/users", {"jid": "Zoe@onechat.localhost", "name": "Zoe"})["jid"].startswith("zoe@")
        assert refusal(call, "POST", "/_sandbox/users", {"jid": ALICE, "name": "X"})[0] == 409
        assert refusal(call, "POST", "/_sandbox/users", {"jid": "x@elsewhere.example", "name": "X"})[0] == 400

    @pytest.mark.parametrize(
        "name",
        [
            "👨\u200d👩\u200d👧",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a ZWNJ
            "❤️ Lunch",
            "葛\U000e0100城",
            "佐藤\u3000太郎",
            "🏴\U000e0067\U000e0062\U000e007f",
            "\U0001fae8",
        ],
    )
    def test_a_name_may_have_what_unicode_text_needs(self, call: Caller, name: str) -> None:
        """Joiners, variation selectors, spaces of any script, and emoji newer than Python are text; so in app names."""
        assert call.post("/_sandbox/users", {"name": name})["name"] == name
        app = {"name": name, "icon": "https://a.example/i.png", "url": "https://a.example/", "admin": ADMIN}
        assert call.post("/_sandbox/apps", app)["name"] == name

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("Al\u202eice", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
            ("Al\u2066ice", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
            ("Al\u200bice", "U+200B (ZERO WIDTH SPACE)"),
            ("Al\x07ice", "U+0007 (a control character)"),
            ("Al\u2028ice", "U+2028 (LINE SEPARATOR)"),
            ("Al\uffffice", "U+FFFF (no character)"),
            ("\u200d\ufe0f", "visible characters"),
        ],
    )
    def test_a_refused_name_says_which_character_it_was(self, call: Caller, name: str, told: str) -> None:
        """Controls and marks that turn the direction of writing are no part of a name."""
        answer = call("POST", "/_sandbox/users", {"name": name})
        assert answer.status_code == 400
        assert told in answer.json["error"]["message"]  # type: ignore[index]

    @pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 3}, {"name": "x", "admin": "yes"}, {"name": "a\nb"}])
    def test_wrong_users_are_refused(self, call: Caller, body: Any) -> None:
        """A name is needed, and `admin` is a boolean."""
        assert refusal(call, "POST", "/_sandbox/users", body)[0] == 400


class TestSessions:
    def test_a_session_is_issued_and_its_id_shown_once(self, call: Caller, lunch: Registered) -> None:
        """The answer has the session ID; the list never has."""
        issued = call.post("/_sandbox/sessions", {"jid": ALICE, "appId": lunch.app_id})
        assert contract.SESSION_ID.match(issued.pop("sessionId"))
        assert issued["state"] == "active"
        assert call.get("/_sandbox/state")["sessions"] == [issued]

    def test_sessions_end_by_what_they_match(self, call: Caller, lunch: Registered) -> None:
        """By number, user or app, or all of these at once; what has ended is not ended again."""
        one = call.post("/_sandbox/sessions", {"jid": ALICE})
        call.post("/_sandbox/sessions", {"jid": ALICE, "appId": lunch.app_id})
        call.post("/_sandbox/sessions", {"jid": BOB, "appId": lunch.app_id})
        assert call.post("/_sandbox/sessions/revoke", {"id": one["id"]}) == {"count": 1}
        assert call.post("/_sandbox/sessions/revoke", {"id": one["id"]}) == {"count": 0}
        assert call.post("/_sandbox/sessions/expire", {"jid": ALICE, "appId": lunch.app_id}) == {"count": 1}
        assert call.post("/_sandbox/sessions/revoke", {}) == {"count": 1}
        assert [s["state"] for s in call.get("/_sandbox/state")["sessions"]] == ["revoked", "expired", "revoked"]

    @pytest.mark.parametrize("body", [{"id": "1"}, {"id": True}, {"id": 2**63}, {"jid": "x"}, {"appId": 3}])
    def test_what_matches_nothing_sensible_is_refused(self, call: Caller, body: Any) -> None:
        """A typing error must not end every session."""
        assert refusal(call, "POST", "/_sandbox/sessions/revoke", body)[0] == 400

    def test_unknown_users_and_apps_get_none(self, call: Caller) -> None:
        """A session is for a user and an app that exist."""
        assert refusal(call, "POST", "/_sandbox/sessions", {"jid": "nobody@onechat.localhost"})[0] == 404
        assert refusal(call, "POST", "/_sandbox/sessions", {"jid": ALICE, "appId": "app-none"})[0] == 404


class TestApps:
    def test_an_app_is_registered_changed_and_removed(self, call: Caller, lunch: Registered) -> None:
        """Its key is in the first answer alone."""
        (app,) = call.get("/_sandbox/state")["apps"]
        assert (app["appId"], app["status"], app["admin"]) == (lunch.app_id, "approved", ADMIN)
        assert lunch.api_key not in str(app)
        path = f"/_sandbox/apps/{lunch.app_id}"
        changed = call.patch(path, {"name": "Dinner", "url": "http://localhost:7000/", "status": "suspended"})
        assert (changed["name"], changed["url"], changed["status"]) == ("Dinner", "http://localhost:7000/", "suspended")
        call.delete(path)
        assert call.get("/_sandbox/state")["apps"] == []
        assert call("PATCH", path, {}).status_code == 404
        assert call("POST", f"{path}/key", {}).status_code == 404

    def test_its_admin_must_be_one(self, call: Caller) -> None:
        """As at the REST API, only administrators register."""
        body = {"name": "X", "icon": "https://x.example/i", "url": "https://x.example/", "admin": ALICE}
        assert refusal(call, "POST", "/_sandbox/apps", body) == (400, "admin: is not an administrator.")

    def test_a_wrong_status_is_refused(self, call: Caller, lunch: Registered) -> None:
        """There are three."""
        for status in ("gone", None, 3, ["approved"]):
            assert refusal(call, "PATCH", f"/_sandbox/apps/{lunch.app_id}", {"status": status})[0] == 400


class TestOptions:
    def test_options_change_one_by_one(self, call: Caller) -> None:
        """The answer is all of them; the state shows them too."""
        assert call.patch("/_sandbox/options", {}) == OPTIONS
        changed = {**OPTIONS, "errors": "as_200", "sessionLifetime": 5}
        assert call.patch("/_sandbox/options", {"errors": "as_200", "sessionLifetime": 5}) == changed
        assert call.get("/_sandbox/state")["options"] == changed

    @pytest.mark.parametrize(
        "body",
        [
            {"approve": "never"},
            {"sessions": None},
            {"errors": []},
            {"sessionLifetime": 0},
            {"sessionLifetime": True},
            {"sessionLifetime": 10**12},
            {"session_lifetime": 5},
        ],
    )
    def test_wrong_options_are_refused(self, call: Caller, body: Any) -> None:
        """Unknown names and values change nothing."""
        assert refusal(call, "PATCH", "/_sandbox/options", {"errors": "as_200", **body})[0] == 400
        assert call.patch("/_sandbox/options", {}) == OPTIONS

    def test_two_sandboxes_share_nothing(self, make: Callable[..., Flask]) -> None:
        """Several in one process have options, users, tokens and messages of their own."""
        one, two = Caller(make()), Caller(make(domain="other.test", approve="by_hand"))
        one.post(f"/phones/{ALICE}/messages", {"thread": BOB, "text": "hello"})
        assert two.get("/phones/bob@other.test/messages") == []
        assert one.token != two.token
        assert one("GET", "/_sandbox/state", headers={"X-Sandbox-Token": two.token}).status_code == 401
        assert two.get("/_sandbox/state")["options"]["approve"] == "by_hand"


class TestReset:
    def test_everything_is_as_at_the_start(self, call: Caller, lunch: Registered) -> None:
        """Users, groups, messages, apps, sessions, faults, sends and options."""
        fresh = call.get("/_sandbox/state")
        call.api("singleMessage", SEND, lunch.api_key)
        call.post("/_sandbox/users", {"name": "Frank"})
        call.patch("/_sandbox/options", {"errors": "as_200"})
        call.post("/_sandbox/fail", {"call": "singleMessage", "times": 5, "how": "busy"})
        call.post("/_sandbox/reset")
        assert call.get("/_sandbox/state") == {**fresh, "apps": []}
        assert {group["jid"] for group in fresh["groups"]} == {LUNCH, OFFICE}
        assert call.get("/_sandbox/sent") == []
        assert call.api("singleMessage", SEND, lunch.api_key)[0] == 401


class TestFail:
    @pytest.fixture
    def fail(self, call: Caller) -> Callable[..., None]:
        def fail(how: Any, times: int = 1, name: str = "singleMessage") -> None:
            call.post("/_sandbox/fail", {"call": name, "times": times, "how": how})

        return fail

    def test_it_lasts_as_often_as_told(self, call: Caller, lunch: Registered, fail: Callable[..., None]) -> None:
        """The next `times` calls of that name fail, others don't, and nothing of them was sent."""
        fail("error", 2)
        assert call.api("massBroadcast", {"domain": "onechat.localhost", "message": "x"}, lunch.api_key)[0] == 200
        answers = [call.api("singleMessage", SEND, lunch.api_key) for _ in range(3)]
        assert [status for status, _ in answers] == [400, 400, 200]
        assert answers[0][1]["status"] == "Error"
        assert len(call.get("/_sandbox/sent?call=singleMessage")) == 1

    def test_orders_queue_up(self, call: Caller, lunch: Registered, fail: Callable[..., None]) -> None:
        """Two orders happen one after the other."""
        fail({"status": 503, "body": {"status": "Error", "description": "-"}})
        fail("busy")
        assert [call.api("singleMessage", SEND, lunch.api_key)[0] for _ in range(3)] == [503, 429, 200]

    @pytest.mark.parametrize(
        ("how", "status", "mimetype", "text"),
        [
            ({"status": 503}, 503, "application/json", "null"),
            ({"status": 200, "body": "<h1>"}, 200, "text/plain", "<h1>"),
            ({"status": 500, "body": [1]}, 500, "application/json", "[1]"),
            ("html", 502, "text/html", "<!doctype html>"),
            ("busy", 429, "application/json", '{"status": "Error"'),
            ("error", 400, "application/json", '{"status": "Error"'),
        ],
    )
    def test_each_way_to_fail(
        self, call: Caller, fail: Callable[..., None], how: Any, status: int, mimetype: str, text: str
    ) -> None:
        """Status, type and body are as ordered."""
        fail(how)
        answer = call.client.post("/onechat/api/singleMessage", base_url=ORIGIN, json=SEND)
        assert (answer.status_code, answer.mimetype) == (status, mimetype)
        assert answer.text.startswith(text)
        assert answer.headers.get("Retry-After") == ("1" if how == "busy" else None)

    @pytest.mark.parametrize(("how", "error"), [("hang", TimeoutError), ("reset", ConnectionResetError)])
    def test_in_process_the_connections_faults_are_exceptions(
        self, call: Caller, fail: Callable[..., None], how: str, error: type[Exception]
    ) -> None:
        """There is no connection to cut or to wait on: the caller of the app gets the error a client would."""
        fail(how)
        with pytest.raises(error):
            call.client.post("/onechat/api/singleMessage", base_url=ORIGIN, json=SEND)

    @pytest.mark.parametrize("path", ["authenticateUser", "registerMiniApp"])
    def test_authenticate_fails_at_both_urls(
        self, call: Caller, lunch: Registered, fail: Callable[..., None], path: str
    ) -> None:
        """The call is what its fields say, wherever it is sent."""
        fail("busy", name="authenticateUser")
        body = {"jid": BOB, "sessionId": "s-invented", "appId": lunch.app_id, "apiKey": lunch.api_key}
        assert [call.api(path, body)[0] for _ in range(2)] == [429, 200]

    @pytest.mark.parametrize(
        "body",
        [{"call": "x", "times": 1, "how": "busy"}, {"call": [], "how": "busy"}, {"call": "singleMessage"}]
        + [{"call": "singleMessage", "how": "busy", "times": times} for times in (0, 1001, True, "1")]
        + [{"call": "singleMessage", "how": how} for how in ("x", [], {"status": 99}, {"status": "503"}, {})],
    )
    def test_an_order_that_makes_no_sense_is_refused(self, call: Caller, body: Any) -> None:
        """Unknown calls and ways, and numbers out of range."""
        assert refusal(call, "POST", "/_sandbox/fail", body)[0] == 400
