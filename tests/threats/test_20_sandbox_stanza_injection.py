"""Threat 20, at the sandbox: a message breaks out of its stanza, or can't be one."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miniapp import contract
from support import profiles  # noqa: F401
from support.people import ALICE, BOB, LUNCH
from support.sandbox import Caller, Registered

ESCAPED_IN_JSON = ["\0", "\x0b", "\ufffe", "\uffff", "\ud800", "\udfff", "\x1b", "\x08"]


@pytest.mark.parametrize("char", ESCAPED_IN_JSON)
def test_what_xml_cant_carry_is_400(call: Caller, lunch: Registered, char: str) -> None:
    """By every way in: REST API, typed message, relay. Nothing arrives."""
    text = f"a{char}b"
    for name, jid in (("singleMessage", BOB), ("groupMessage", LUNCH)):
        raw = json.dumps({"jid": jid, "message": text})
        assert call.api(name, key=lunch.api_key, data=raw, content_type="application/json")[0] == 400
    raw = json.dumps({"domain": "onechat.localhost", "message": text})
    assert call.api("massBroadcast", key=lunch.api_key, data=raw, content_type="application/json")[0] == 400
    for path, body in (
        ("messages", {"thread": BOB, "text": text}),
        ("relay", {"recipient": [BOB], "textMessage": text}),
        ("relay", {"groupJid": LUNCH, "textMessage": text}),
    ):
        raw = json.dumps(body)
        assert call("POST", f"/phones/{ALICE}/{path}", data=raw, content_type="application/json").status_code == 400
    assert call.get(f"/phones/{BOB}/messages") == []


@pytest.mark.parametrize(
    "text",
    ["]]></body>", "</body></message><message to='x'>", "<![CDATA[", "&lt;&#0;&#xD;", "a\r\nb", "<?xml?>", "a\u2028b"],
)
def test_markup_is_one_message_of_text(call: Caller, lunch: Registered, text: str) -> None:
    """It arrives as the characters it has, once."""
    assert call.api("singleMessage", {"jid": BOB, "message": text}, lunch.api_key)[0] == 200
    assert [m["text"] for m in call.get(f"/phones/{BOB}/messages")] == [text]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(st.characters(exclude_categories=()), max_size=50))
def test_any_text_is_one_message_or_400(app: Flask, call: Caller, lunch: Registered, text: str) -> None:
    """Nothing in between: what is accepted is in the history unchanged, what is not leaves no trace."""
    raw = json.dumps({"jid": BOB, "message": text})
    status, _ = call.api("singleMessage", key=lunch.api_key, data=raw, content_type="application/json")
    assert status == (400 if contract.message_fault(text) else 200)
    last = [m["text"] for m in call.get(f"/phones/{BOB}/messages?limit=1")]
    assert status == 400 or last == [text]
