"""Threat 29, inbound at the sandbox: a body that is no JSON, or too much of it, breaks the host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miniapp import contract
from support import profiles  # noqa: F401
from support.people import ALICE, BOB
from support.sandbox import Caller, Registered

GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "open brace": b"{",
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"jid":' * 100_000,
    "array": b"[]",
    "null": b"null",
    "number": b"1",
    "text": b'"jid"',
    "NaN": b'{"jid": NaN}',
    "Infinity": b'{"jid": -Infinity}',
    "duplicate keys": b'{"jid": "a@b", "jid": "c@d"}',
    "nested duplicates": b'{"jid": {"a": 1, "a": 2}}',
    "not UTF-8": b'{"jid": "\xff\xfe"}',
    "UTF-16": '{"jid": "x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"jid": "x"}',
    "NUL": b"\0",
    "trailing text": b'{"jid": "x"} x',
    "HTML": b"<!doctype html>",
    "long number": b'{"jid": ' + b"9" * 10_000 + b"}",
    "lone surrogate": b'{"jid": "\\ud800@x"}',
    "lone surrogate in a name": b'{"\\uDFFF": 1}',
}
POSTS = [f"/phones/{ALICE}/{what}" for what in ("messages", "read", "launch", "relay")] + [
    f"/_sandbox/{what}" for what in ("users", "sessions", "apps", "fail", "sessions/expire", "sessions/revoke")
]


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=list(GARBAGE))
def test_garbage_at_the_rest_api_is_400(call: Caller, lunch: Registered, raw: bytes) -> None:
    """Each call answers with the documented Error."""
    for name in contract.CALLS:
        for content_type in ("application/json", "application/json; charset=utf-16"):
            status, body = call.api(name, key=lunch.api_key, data=raw, content_type=content_type)
            assert (status, body["status"]) == (400, "Error"), name


def test_no_field_takes_half_a_character(call: Caller, lunch: Registered, session: Callable[..., str]) -> None:
    """Where all else is right, one text with half of a surrogate pair is 400 and no failure of the store."""
    good = {"jid": BOB, "sessionId": session(BOB), "appId": lunch.app_id, "apiKey": lunch.api_key}
    for name in good:
        raw = json.dumps({**good, name: "s-\ud800"})
        assert call.api("authenticateUser", data=raw, content_type="application/json")[0] == 400
    for path, body in (("read", {"thread": "\ud800"}), ("launch", {"appId": "\ud800"})):
        raw = json.dumps(body)
        assert call("POST", f"/phones/{ALICE}/{path}", data=raw, content_type="application/json").status_code == 400
    for path in ("threads?x=%ed%a0%80", "messages?thread=%ed%a0%80", "messages?thread=%ff%00"):
        assert call("GET", f"/phones/{ALICE}/{path}").status_code == 200


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=list(GARBAGE))
def test_garbage_at_phones_and_controls_is_400(call: Caller, raw: bytes) -> None:
    """So do the sandbox's own routes, with their own form of error."""
    for path in POSTS:
        answer = call("POST", path, data=raw, content_type="application/json")
        assert answer.status_code == 400, path
        assert answer.json is not None
        assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"jid=a@b&jid=c@d&message=x", "application/x-www-form-urlencoded"),
        (b"jid=%ff%fe&message=x", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded"),
        (b"%%%=&&&=", "application/x-www-form-urlencoded"),
        (b"--x\r\ngarbage", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b'--x\r\nContent-Disposition: form-data; name="jid"; filename="f"\r\n\r\na@b\r\n--x--\r\n', "multipart/form-data; boundary=x"),  # noqa: E501
        (b'{"jid": "x"}', "text/plain"),
        (b'{"jid": "x"}', "application/xml"),
        (b'{"jid": "x"}', "\xff"),
        (b'{"jid": "x"}', ""),
    ],
)  # fmt: skip
def test_broken_forms_and_other_types_are_400(call: Caller, lunch: Registered, raw: bytes, content_type: str) -> None:
    """Fields that are there twice, in no encoding, in a file, or in a type that isn't documented."""
    for name in contract.CALLS:
        status, body = call.api(name, key=lunch.api_key, data=raw, content_type=content_type)
        assert (status, body["status"]) == (400, "Error"), name


_VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FEWER = settings(
    max_examples=min(settings().max_examples, 1000),  # making such a body takes 10 ms: 10,000 of them, minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_FIELDS = sorted({field.name for call in contract.CALLS.values() for field in call.fields})
_PHONE_FIELDS = ["thread", "text", "recipient", "groupJid", "invitees", "textMessage", "appId", "device"]
_CONTROL_FIELDS = ["jid", "name", "admin", "appId", "id", "icon", "url", "call", "times", "how", "status"]


@_FEWER
@given(body=st.dictionaries(st.sampled_from(_FIELDS), _VALUES), name=st.sampled_from(sorted(contract.CALLS)))
def test_any_json_at_the_rest_api_is_answered(call: Caller, lunch: Registered, body: Any, name: str) -> None:
    """Whatever the fields hold, the answer is a documented one."""
    body = {**body, "apiKey": lunch.api_key, "appId": lunch.app_id} if "apiKey" in body else body
    status, answer = call.api(name, key=lunch.api_key, data=json.dumps(body), content_type="application/json")
    assert status in (200, 400, 401, 403, 404)
    assert answer["status"] in ("Success", "Error")


@_FEWER
@given(
    body=st.dictionaries(st.sampled_from(sorted({*_PHONE_FIELDS, *_CONTROL_FIELDS})), _VALUES),
    path=st.sampled_from(POSTS),
)
def test_any_json_at_phones_and_controls_is_answered(call: Caller, path: str, body: Any) -> None:
    """No field makes the sandbox itself fail."""
    assert call("POST", path, data=json.dumps(body), content_type="application/json").status_code < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(raw=st.binary(max_size=200), content_type=st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
))  # fmt: skip
def test_any_bytes_are_answered(call: Caller, raw: bytes, content_type: str) -> None:
    """No sequence of bytes makes the sandbox itself fail."""
    assert call.api("authenticateUser", data=raw, content_type=content_type)[0] == 400
