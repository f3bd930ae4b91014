"""Threat 17, at the sandbox: a foreign page makes a phone send."""

from __future__ import annotations

import itertools
import json

import pytest

from support.people import ALICE, BOB, ORIGIN
from support.sandbox import Caller, Registered

BODY = {"recipient": [BOB], "textMessage": "forged"}
RELAY = f"/phones/{ALICE}/relay"
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
FOREIGN = ["http://evil.example", "null", "http://alice.onechat.localhost:5000", "https://onechat.localhost", "file://"]


def sends(call: Caller) -> int:
    """How many messages Bob has."""
    return len(call.get(f"/phones/{BOB}/messages"))


@pytest.mark.parametrize("token", [None, "", "wrong", "ключ"])
def test_without_the_token_nothing_is_sent(call: Caller, token: str | None) -> None:
    """No method and no content type gets past the token."""
    headers = {} if token is None else {"X-Sandbox-Token": token.encode().decode("latin-1")}
    for method, content_type in itertools.product(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), TYPES):
        answer = call.client.open(
            RELAY,
            method=method,
            base_url=ORIGIN,
            headers=headers,
            data=json.dumps(BODY),
            content_type=content_type or None,
        )
        assert answer.status_code in (401, 404, 405), (method, content_type)
        assert sends(call) == 0


@pytest.mark.parametrize("origin", FOREIGN)
def test_from_another_origin_nothing_is_sent(call: Caller, lunch: Registered, origin: str) -> None:
    """Even with the token, or an API key, a foreign page is refused: relay, controls and REST API alike."""
    headers = {"Origin": origin, "apikey": lunch.api_key}
    assert call("POST", RELAY, BODY, headers=headers).status_code == 403
    assert call("POST", "/_sandbox/reset", {}, headers=headers).status_code == 403
    assert call("POST", "/onechat/api/singleMessage", {"jid": BOB, "message": "x"}, headers=headers).status_code == 403
    assert sends(call) == 0
    assert call.get("/_sandbox/sent") == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_counts_too(call: Caller, site: str) -> None:
    """Where a browser sends no Origin, its Sec-Fetch-Site tells."""
    assert call("POST", RELAY, BODY, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert sends(call) == 0


@pytest.mark.parametrize("content_type", TYPES[1:])
def test_only_json_is_sent(call: Caller, content_type: str) -> None:
    """What a form could send is 415, from any sender."""
    answer = call("POST", RELAY, data=json.dumps(BODY), content_type=content_type or None)
    assert answer.status_code == 415
    assert sends(call) == 0


def test_the_page_itself_sends(call: Caller) -> None:
    """With token, own origin and JSON the message goes."""
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert call("POST", RELAY, BODY, headers=headers).status_code == 200
    assert sends(call) == 1
