"""Threat 30: a request without bounds: a huge body, a huge message, a million recipients."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from miniapp import contract
from miniapp.sandbox import SandboxServer
from support.people import ALICE, BOB, LUNCH, ORIGIN
from support.sandbox import Caller, Registered

RELAY = f"/phones/{ALICE}/relay"


def padded(size: int) -> bytes:
    """A JSON body of exactly `size` bytes that sends a message to Bob."""
    raw = json.dumps({"jid": BOB, "message": "x", "padding": ""})
    return raw.replace('"padding": ""', f'"padding": "{"x" * (size - len(raw))}"').encode()


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_at_the_limit_and_one_byte_over(call: Caller, lunch: Registered, extra: int) -> None:
    """1 MiB passes, a byte more is 413, with the documented body."""
    raw = padded(contract.BODY_MAX_BYTES + extra)
    assert len(raw) == contract.BODY_MAX_BYTES + extra
    status, body = call.api("singleMessage", key=lunch.api_key, data=raw, content_type="application/json")
    assert (status, body["status"]) == ((413, "Error") if extra else (200, "Success"))


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_have_the_same_limit(call: Caller, content_type: str) -> None:
    """No encoding takes more."""
    raw = b"jid=" + b"x" * contract.BODY_MAX_BYTES
    assert call.api("singleMessage", data=raw, content_type=content_type)[0] == 413


@pytest.mark.parametrize("extra", [0, 1])
def test_a_chunked_body_has_the_same_limit(server: SandboxServer, extra: int) -> None:
    """Without a length the bytes are counted as they come."""

    def chunks() -> Iterator[bytes]:
        raw = padded(contract.BODY_MAX_BYTES + extra)
        for start in range(0, len(raw), 65536):
            yield raw[start : start + 65536]

    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    client.request("POST", "/onechat/api/singleMessage", chunks(), headers, encode_chunked=True)
    answer = client.getresponse()
    assert (answer.status, json.loads(answer.read())["status"]) == (413 if extra else 401, "Error")
    client.close()


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("char", ["x", "é", "麺", "🍜"])
def test_a_message_is_counted_in_bytes(call: Caller, lunch: Registered, char: str, extra: int) -> None:
    """4 KiB of UTF-8 pass, a byte more is 400, at every way in."""
    text = char * (contract.MESSAGE_MAX_BYTES // len(char.encode()))
    text += "x" * (contract.MESSAGE_MAX_BYTES - len(text.encode()) + extra)
    expected = 400 if extra else 200
    assert call.api("singleMessage", {"jid": BOB, "message": text}, lunch.api_key)[0] == expected
    assert call("POST", f"/phones/{ALICE}/messages", {"thread": LUNCH, "text": text}).status_code == expected
    assert call("POST", RELAY, {"recipient": [BOB], "textMessage": text}).status_code == expected


def test_a_million_recipients_are_413_or_400(call: Caller) -> None:
    """Full JIDs are too long for a body, the shortest are too many."""
    many = {"recipient": [f"u{n}@onechat.localhost" for n in range(1_000_000)], "textMessage": "x"}
    assert call("POST", RELAY, many).status_code == 413
    short = {"recipient": [""] * 200_000, "textMessage": "x"}
    assert call("POST", RELAY, short).status_code == 400


class TestMembers:
    @pytest.fixture
    def crowd(self, make: Callable[..., Flask], tmp_path: object) -> Caller:
        """A host with 1,001 users and their owner."""
        from pathlib import Path

        seed = Path(str(tmp_path)) / "seed.toml"
        users = "".join(f'[[users]]\nlocal = "u{n}"\nname = "U {n}"\n' for n in range(contract.MEMBERS_MAX + 1))
        seed.write_text(users, "utf-8")
        return Caller(make(seed=seed))

    def jids(self, count: int) -> list[str]:
        return [f"u{n}@onechat.localhost" for n in range(count)]

    def test_as_many_as_the_limit_and_one_more(self, crowd: Caller) -> None:
        """1,000 recipients pass, 1,001 are 400; a group has 1,000 members, its owner among them."""
        path = "/phones/u0@onechat.localhost/relay"
        most = contract.MEMBERS_MAX
        assert crowd("POST", path, {"recipient": self.jids(most + 1), "textMessage": "x"}).status_code == 400
        assert crowd("POST", path, {"recipient": self.jids(most), "textMessage": "x"}).status_code == 200
        assert len(crowd.get("/phones/u999@onechat.localhost/messages")) == 1
        assert crowd("POST", path, {"invitees": self.jids(most), "textMessage": "x"}).status_code == 200
        one_too_many = [f"u{n}@onechat.localhost" for n in range(1, most + 1)]
        assert crowd("POST", path, {"invitees": one_too_many, "textMessage": "x"}).status_code == 400

    def test_the_same_one_twice_is_one(self, call: Caller) -> None:
        """Recipients are counted once each, and get the message once."""
        body = {"recipient": [BOB, BOB.upper(), f"{BOB}."], "textMessage": "x"}
        assert call("POST", RELAY, body).status_code == 200
        assert len(call.get(f"/phones/{BOB}/messages")) == 1


def test_other_texts_are_bounded_too(call: Caller, lunch: Registered) -> None:
    """Names, URLs and what a device says of itself have limits of their own."""
    assert call("POST", "/_sandbox/users", {"name": "x" * 101}).status_code == 400
    long = {"url": "https://lunch.example/" + "x" * 2048}
    assert call("PATCH", f"/_sandbox/apps/{lunch.app_id}", long).status_code == 400
    device = {"device": "x" * 101}
    launch = {"appId": lunch.app_id, "device": device}
    assert call("POST", f"/phones/{ALICE}/launch", launch).status_code == 400
    assert call.client.get(f"/phones/{'x' * 9000}/threads", base_url=ORIGIN).status_code == 401
