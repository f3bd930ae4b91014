"""Threat 21, at the sandbox: something that is no JID, or another one than it seems, is taken for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import profiles  # noqa: F401
from support.people import ALICE, BOB, LUNCH
from support.sandbox import Caller, Registered

BAD = [
    "",
    " ",
    "@",
    "@onechat.localhost",
    "bob@",
    "bob",
    "bob@onechat.localhost/phone",
    "bob@onechat.localhost/",
    "bob @onechat.localhost",
    "bob@one chat.localhost",
    "bob@@onechat.localhost",
    "bob@x@onechat.localhost",
    "bob\0@onechat.localhost",
    "bob\n@onechat.localhost",
    "<bob>@onechat.localhost",
    "bob'@onechat.localhost",
    '"bob"@onechat.localhost',
    "bob@onechat..localhost",
    "bob@-onechat.localhost",
    "bob@onechat.localhost,alice@onechat.localhost",
    "b" * 1024 + "@onechat.localhost",
    "\ud800@onechat.localhost",
    "bob@\ud800.localhost",
    "bob@[::1",
]
SAME = ["BOB@onechat.localhost", "bob@ONECHAT.LOCALHOST", "bob@onechat.localhost."]


@pytest.mark.parametrize("jid", BAD)
def test_no_jid_no_message(call: Caller, lunch: Registered, jid: str) -> None:
    """As addressee, as group, as user and as member: refused, and no message arrived."""
    for name in ("singleMessage", "groupMessage"):
        raw = json.dumps({"jid": jid, "message": "x"})
        assert call.api(name, key=lunch.api_key, data=raw, content_type="application/json")[0] == 400
    raw = json.dumps({"jid": jid, "sessionId": "s-invented", "appId": lunch.app_id, "apiKey": lunch.api_key})
    assert call.api("authenticateUser", data=raw, content_type="application/json")[0] == 400
    for body in (
        {"recipient": [jid], "textMessage": "x"},
        {"invitees": [BOB, jid], "textMessage": "x"},
        {"groupJid": jid, "textMessage": "x"},
    ):
        raw = json.dumps(body)
        assert call("POST", f"/phones/{ALICE}/relay", data=raw, content_type="application/json").status_code == 400
    raw = json.dumps({"jid": jid, "name": "x"})
    assert call("POST", "/_sandbox/users", data=raw, content_type="application/json").status_code == 400
    assert call.get(f"/phones/{BOB}/messages") == []


@pytest.mark.parametrize("jid", SAME)
def test_one_user_however_it_is_written(call: Caller, lunch: Registered, jid: str) -> None:
    """Case and the domain's last dot name the same user, and no second one can be made of them."""
    assert call.api("singleMessage", {"jid": jid, "message": "x"}, lunch.api_key)[0] == 200
    assert len(call.get(f"/phones/{BOB}/messages")) == 1
    assert call("POST", "/_sandbox/users", {"jid": jid, "name": "Bob II"}).status_code == 409


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    jid=st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=60),
        st.text(max_size=30).map("{}@onechat.localhost".format),
        st.text(max_size=30).map("bob@{}".format),
        st.sampled_from([BOB, LUNCH]).flatmap(lambda jid: st.text(max_size=5).map(jid.__add__)),
    ),
    name=st.sampled_from(["singleMessage", "groupMessage"]),
)
def test_any_text_for_a_jid_is_answered(call: Caller, lunch: Registered, jid: str, name: str) -> None:
    """Success, 400 or 404, and never a failure of the sandbox itself."""
    raw = json.dumps({"jid": jid, "message": "x"})
    status, body = call.api(name, key=lunch.api_key, data=raw, content_type="application/json")
    assert status in (200, 400, 404), body
