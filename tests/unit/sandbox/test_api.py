"""OneChat's REST API as the sandbox answers it (reference: OneChat's API page, and how contract.py reads it)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from miniapp import contract
from miniapp.sandbox import Sandbox
from support.people import ADMIN, ALERTS, ALICE, BOB, CAROL, DAVE, ERIN, LUNCH, ORIGIN
from support.sandbox import Caller, Registered, register

GOOD = {"status": "Success", "description": "-"}
SENDS: dict[str, dict[str, str]] = {
    "massBroadcast": {"domain": "onechat.localhost", "message": "Hi"},
    "singleMessage": {"jid": BOB, "message": "Hi"},
    "groupMessage": {"jid": LUNCH, "message": "Hi"},
}
APP = {"appName": "Lunch", "appIcon": "https://lunch.example/icon.png", "appUrl": "https://lunch.example/"}


def encoded(encoding: str, body: dict[str, str]) -> dict[str, Any]:
    """The options with which the test client sends `body` so."""
    if encoding == "json":
        return {"json": body}
    if encoding == "form":
        return {"data": body, "content_type": "application/x-www-form-urlencoded"}
    return {"data": body, "content_type": "multipart/form-data"}


def errored(answer: tuple[int, dict[str, Any]], status: int, *words: str) -> None:
    """The answer is the documented `Error`, with this HTTP status, and its description has these words in it."""
    got, body = answer
    assert (got, body["status"], set(body)) == (status, "Error", {"status", "description"})
    for word in words:
        assert word in body["description"]


@pytest.mark.parametrize("encoding", ["json", "form", "multipart"])
class TestEncodings:
    @pytest.mark.parametrize("name", SENDS)
    def test_a_send_is_taken_in_every_encoding(self, call: Caller, lunch: Registered, name: str, encoding: str) -> None:
        """JSON, urlencoded and multipart bodies mean the same."""
        assert call.api(name, key=lunch.api_key, **encoded(encoding, SENDS[name])) == (200, GOOD)
        assert [m["text"] for m in call.get(f"/phones/{BOB}/messages")] == ["Hi"]

    def test_authenticate_is_taken_in_every_encoding(
        self, call: Caller, lunch: Registered, session: Callable[..., str], encoding: str
    ) -> None:
        """So are the calls whose credentials are in the body."""
        body = {"jid": BOB, "sessionId": session(BOB), "appId": lunch.app_id, "apiKey": lunch.api_key}
        answer = call.api("authenticateUser", **encoded(encoding, body))
        assert answer == (200, {**GOOD, "isAuthenticated": "True"})


class TestSends:
    def test_a_broadcast_reaches_every_user(self, call: Caller, lunch: Registered) -> None:
        """Every user of the domain has it once, as an alert from the app."""
        call.api("massBroadcast", SENDS["massBroadcast"], lunch.api_key)
        for jid in (ALICE, BOB, CAROL, DAVE, ERIN, ADMIN):
            (message,) = call.get(f"/phones/{jid}/messages")
            assert (message["kind"], message["thread"]) == ("alert", ALERTS)
            assert message["from"] == {"jid": ALERTS, "name": "Lunch"}

    def test_a_single_message_reaches_its_user_alone(self, call: Caller, lunch: Registered) -> None:
        """No other user has it; a JID in another case is the same user's."""
        assert call.api("singleMessage", {"jid": "BOB@OneChat.localhost", "message": "Hi"}, lunch.api_key)[0] == 200
        assert [m["text"] for m in call.get(f"/phones/{BOB}/messages")] == ["Hi"]
        assert call.get(f"/phones/{ALICE}/messages") == []

    def test_a_group_message_reaches_its_members_alone(self, call: Caller, lunch: Registered) -> None:
        """It is in the group's thread, and names the app as its sender."""
        call.api("groupMessage", SENDS["groupMessage"], lunch.api_key)
        (message,) = call.get(f"/phones/{CAROL}/messages?thread={LUNCH}")
        assert (message["kind"], message["from"]["name"]) == ("group", "Lunch")
        assert call.get(f"/phones/{DAVE}/messages") == []

    def test_what_was_accepted_is_listed(self, call: Caller, lunch: Registered) -> None:
        """The controls list accepted sends with their app, oldest first, and no refused one."""
        for name, body in SENDS.items():
            call.api(name, body, lunch.api_key)
        call.api("singleMessage", {"jid": "nobody@onechat.localhost", "message": "Hi"}, lunch.api_key)
        sent = call.get("/_sandbox/sent")
        assert [(one["call"], one["to"], one["appId"], one["text"]) for one in sent] == [
            ("massBroadcast", "onechat.localhost", lunch.app_id, "Hi"),
            ("singleMessage", BOB, lunch.app_id, "Hi"),
            ("groupMessage", LUNCH, lunch.app_id, "Hi"),
        ]
        assert call.get("/_sandbox/sent?call=groupMessage") == sent[2:]
        assert call.get("/_sandbox/sent?appId=app-other") == []

    @pytest.mark.parametrize("name", SENDS)
    @pytest.mark.parametrize("key", [None, "", "wrong-key-wrong-key", "ключ", "\xff\xfe", "k" * 5000])
    def test_a_wrong_key_is_unauthorized(self, call: Caller, name: str, key: str | None) -> None:
        """No key, or any but an app's, is answered with OneChat's own word for it; nothing is sent."""
        latin = key.encode().decode("latin-1") if key else key  # as a web server hands a header on
        errored(call.api(name, SENDS[name], latin), 401, "Unauthorized")
        assert call.get("/_sandbox/sent") == []

    @pytest.mark.parametrize("name", SENDS)
    @pytest.mark.parametrize("status", ["pending", "suspended"])
    def test_an_app_that_is_not_approved_is_refused(
        self, call: Caller, lunch: Registered, name: str, status: str
    ) -> None:
        """A key is good only while its app is approved, and the description says what it is instead."""
        call.patch(f"/_sandbox/apps/{lunch.app_id}", {"status": status})
        errored(call.api(name, SENDS[name], lunch.api_key), 403, "Unauthorized", status)

    def test_a_new_key_voids_the_old_one(self, call: Caller, lunch: Registered) -> None:
        """After a new key is made, only that one is good."""
        new = call.post(f"/_sandbox/apps/{lunch.app_id}/key")["apiKey"]
        assert contract.KEY.match(new)
        errored(call.api("singleMessage", SENDS["singleMessage"], lunch.api_key), 401)
        assert call.api("singleMessage", SENDS["singleMessage"], new)[0] == 200

    @pytest.mark.parametrize(
        ("name", "changes", "status", "words"),
        [
            ("singleMessage", {"jid": "nobody@onechat.localhost"}, 404, ["jid", "no such user"]),
            ("singleMessage", {"jid": LUNCH}, 400, ["jid", "group's JID"]),
            ("singleMessage", {"jid": f"{BOB}/phone"}, 400, ["jid", "bare"]),
            ("singleMessage", {"jid": "bob"}, 400, ["jid"]),
            ("singleMessage", {"jid": 6581234567}, 400, ["jid", "not text"]),
            ("singleMessage", {"jid": None}, 400, ["jid", "missing"]),
            ("singleMessage", {"jid": ""}, 400, ["jid", "empty"]),
            ("singleMessage", {"message": ""}, 400, ["message", "empty"]),
            ("singleMessage", {"message": " \n"}, 400, ["message", "empty"]),
            ("singleMessage", {"message": "x" * 4097}, 400, ["message", "longer than 4096 bytes"]),
            ("singleMessage", {"message": ["Hi"]}, 400, ["message", "not text"]),
            ("groupMessage", {"jid": "nothing@muc.onechat.localhost"}, 404, ["jid", "no such group"]),
            ("groupMessage", {"jid": BOB}, 400, ["jid", "not a group"]),
            ("massBroadcast", {"domain": "elsewhere.example"}, 404, ["domain", "onechat.localhost"]),
            ("massBroadcast", {"domain": BOB}, 400, ["domain"]),
            ("massBroadcast", {"domain": {}}, 400, ["domain", "not text"]),
        ],
    )
    def test_a_wrong_field_is_named(
        self,
        call: Caller,
        lunch: Registered,
        name: str,
        changes: dict[str, Any],
        status: int,
        words: list[str],
    ) -> None:
        """The description names the field and the reason, and nothing is sent."""
        errored(call.api(name, {**SENDS[name], **changes}, lunch.api_key), status, *words)
        assert call.get("/_sandbox/sent") == []

    @pytest.mark.parametrize("name", contract.CALLS)
    def test_every_documented_field_is_mandatory(
        self, call: Caller, lunch: Registered, session: Callable[..., str], name: str
    ) -> None:
        """Each field of the contract, left out, is named as missing."""
        whole = {
            **SENDS.get(name, {}),
            **(APP if name == "registerMiniApp" else {}),
            **({"adminJid": ADMIN, "sessionId": session(ADMIN)} if name == "registerMiniApp" else {}),
        }
        if name == "authenticateUser":
            whole = {"jid": BOB, "sessionId": session(BOB), "appId": lunch.app_id, "apiKey": lunch.api_key}
        assert call.api(name, whole, lunch.api_key)[0] == 200
        for field in contract.CALLS[name].fields:
            rest = {key: value for key, value in whole.items() if key != field.name}
            errored(call.api(name, rest, lunch.api_key), 400, f"{field.name}: is missing")


class TestRegister:
    def test_an_admins_session_registers_an_app(self, call: Caller, session: Callable[..., str]) -> None:
        """The answer has an app ID and an API key, with which the app can send at once."""
        body = {"adminJid": ADMIN, "sessionId": session(ADMIN), **APP}
        status, answer = call.api("registerMiniApp", body)
        assert (status, answer["status"], set(answer)) == (200, "Success", {*GOOD, "appId", "apiKey"})
        assert contract.KEY.match(answer["appId"])
        assert contract.KEY.match(answer["apiKey"])
        assert call.api("singleMessage", SENDS["singleMessage"], answer["apiKey"])[0] == 200

    def test_an_app_waits_for_approval_if_told_so(self, call: Caller, session: Callable[..., str]) -> None:
        """With approval by hand a new app is pending: refused until it is approved."""
        call.patch("/_sandbox/options", {"approve": "by_hand"})
        _, answer = call.api("registerMiniApp", {"adminJid": ADMIN, "sessionId": session(ADMIN), **APP})
        errored(call.api("singleMessage", SENDS["singleMessage"], answer["apiKey"]), 403, "pending")
        call.patch(f"/_sandbox/apps/{answer['appId']}", {"status": "approved"})
        assert call.api("singleMessage", SENDS["singleMessage"], answer["apiKey"])[0] == 200

    def test_only_admins_register(self, call: Caller, session: Callable[..., str]) -> None:
        """Another user's session is refused."""
        body = {"adminJid": ALICE, "sessionId": session(ALICE), **APP}
        errored(call.api("registerMiniApp", body), 403, "not an administrator")

    def test_the_session_must_be_the_admins_and_alive(self, call: Caller, session: Callable[..., str]) -> None:
        """Another user's session, an ended one and an invented one are all unauthorized."""
        ended = session(ADMIN)
        call.post("/_sandbox/sessions/expire", {"jid": ADMIN})
        for session_id in (session(ALICE), ended, "s-invented-invented", "é", "x"):
            body = {"adminJid": ADMIN, "sessionId": session_id, **APP}
            errored(call.api("registerMiniApp", body), 401, "Unauthorized")
        assert call.get("/_sandbox/state")["apps"] == []

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "nul\0", "line\nend"])
    def test_the_name_must_be_one(self, call: Caller, session: Callable[..., str], name: str) -> None:
        """Empty, overlong or unprintable names are refused."""
        body = {"adminJid": ADMIN, "sessionId": session(ADMIN), **APP, "appName": name}
        errored(call.api("registerMiniApp", body), 400, "appName")


class TestAuthenticate:
    @pytest.fixture
    def ask(self, call: Caller, lunch: Registered) -> Callable[..., tuple[int, dict[str, Any]]]:
        def ask(session_id: str, jid: str = BOB, path: str = "authenticateUser", **changes: Any) -> Any:
            body = {"jid": jid, "sessionId": session_id, "appId": lunch.app_id, "apiKey": lunch.api_key, **changes}
            return call.api(path, body)

        return ask

    @pytest.mark.parametrize("path", ["authenticateUser", "registerMiniApp"])
    def test_it_is_answered_at_both_urls(self, ask: Callable[..., Any], session: Callable[..., str], path: str) -> None:
        """OneChat's page prints registerMiniApp's URL for it; both work, told apart by the fields."""
        assert ask(session(BOB), path=path) == (200, {**GOOD, "isAuthenticated": "True"})
        assert ask("s-invented-invented", path=path) == (200, {**GOOD, "isAuthenticated": "False"})

    def test_a_session_is_its_users_alone(self, ask: Callable[..., Any], session: Callable[..., str]) -> None:
        """Alice's session doesn't authenticate Bob; the case of a JID doesn't matter."""
        assert ask(session(ALICE))[1]["isAuthenticated"] == "False"
        assert ask(session(ALICE), jid="Alice@OneChat.localhost")[1]["isAuthenticated"] == "True"

    @pytest.mark.parametrize("how", ["expire", "revoke"])
    def test_an_ended_session_is_no_more(
        self, call: Caller, ask: Callable[..., Any], session: Callable[..., str], how: str
    ) -> None:
        """Expired or revoked, it no longer authenticates; others go on."""
        bobs, other = session(BOB), session(ALICE)
        assert call.post(f"/_sandbox/sessions/{how}", {"jid": BOB}) == {"count": 1}
        assert ask(bobs)[1]["isAuthenticated"] == "False"
        assert ask(other, jid=ALICE)[1]["isAuthenticated"] == "True"

    def test_a_session_ends_with_its_lifetime(
        self, call: Caller, clock: Any, ask: Callable[..., Any], session: Callable[..., str]
    ) -> None:
        """It lasts as long as the option says, to the second."""
        call.patch("/_sandbox/options", {"sessionLifetime": 60})
        session_id = session(BOB)
        clock.now += 59
        assert ask(session_id)[1]["isAuthenticated"] == "True"
        clock.now += 1
        assert ask(session_id)[1]["isAuthenticated"] == "False"
        assert call.get("/_sandbox/state")["sessions"][0]["state"] == "expired"

    @pytest.mark.parametrize("changes", [{"apiKey": "wrong-key"}, {"apiKey": "ключ"}, {"appId": "app-other"}])
    def test_the_apps_own_credentials_are_checked(
        self, ask: Callable[..., Any], session: Callable[..., str], changes: dict[str, str]
    ) -> None:
        """A wrong key, or another app's ID, is an Error and not a False."""
        errored(ask(session(BOB), **changes), 401, "Unauthorized")

    def test_one_apps_key_is_not_anothers(
        self, call: Caller, ask: Callable[..., Any], session: Callable[..., str]
    ) -> None:
        """App ID and API key must belong together."""
        errored(ask(session(BOB), apiKey=register(call, "Other").api_key), 401, "Unauthorized")

    @pytest.mark.parametrize("session_id", ["x", "é" * 20, "\0\0\0\0\0\0\0\0", "s" * 10_000])
    def test_no_text_for_a_session_id_does_harm(self, ask: Callable[..., Any], session_id: str) -> None:
        """Any text there is either a live session's ID or none."""
        assert ask(session_id) == (200, {**GOOD, "isAuthenticated": "False"})

    def test_a_removed_user_is_not_authenticated(
        self, call: Caller, ask: Callable[..., Any], session: Callable[..., str]
    ) -> None:
        """With a user go all of the user's sessions."""
        session_id = session(BOB)
        call.delete(f"/_sandbox/users/{BOB}")
        assert ask(session_id)[1]["isAuthenticated"] == "False"


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "options", "status"),
        [
            ("singleMessage", {"json": SENDS["singleMessage"]}, 401),
            ("singleMessage", {"data": b"{", "content_type": "application/json"}, 400),
            ("noSuchCall", {"json": {}}, 404),
            ("singleMessage", {"data": b"x" * (1024 * 1024 + 1), "content_type": "application/json"}, 413),
        ],
    )
    def test_errors_come_with_200_if_told_so(
        self, call: Caller, path: str, options: dict[str, Any], status: int
    ) -> None:
        """OneChat documents no HTTP statuses: the option `errors` makes each documented Error come with 200."""
        errored(call.api(path, **options), status)
        call.patch("/_sandbox/options", {"errors": "as_200"})
        errored(call.api(path, **options), 200)

    def test_only_post_is_a_call(self, call: Caller) -> None:
        """Any other method is answered with the documented body too."""
        answer = call.client.get("/onechat/api/singleMessage", base_url=ORIGIN)
        assert (answer.status_code, json.loads(answer.text)["status"]) == (405, "Error")

    def test_no_error_repeats_a_secret(self, call: Caller, lunch: Registered) -> None:
        """Neither keys nor session IDs come back in a description."""
        body = {"jid": "CANARY", "sessionId": "CANARY", "appId": "CANARY", "apiKey": "CANARY", "message": "CANARY\0"}
        for name in contract.CALLS:
            for key in ("CANARY", lunch.api_key):
                assert "CANARY" not in json.dumps(call.api(name, body, key))

    def test_secrets_are_stored_as_digests_only(
        self, host: Sandbox, call: Caller, lunch: Registered, session: Callable[..., str]
    ) -> None:
        """No table holds an API key or a session ID."""
        session_id = session(BOB)
        with host.store._database.transaction() as t:
            dump = "\n".join(t.connection().connection.driver_connection.iterdump())
        assert lunch.app_id in dump
        assert lunch.api_key not in dump
        assert session_id not in dump
