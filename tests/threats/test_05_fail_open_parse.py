"""Threat 5: an answer that is not exactly yes is taken for yes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniapp.errors import HostError
from miniapp.onechat.outcome import judge, parse
from miniapp.onechat.transport import Answer
from support import profiles  # noqa: F401
from support.apps import create_app, sign_in
from support.calls import APP_ID, KEY, SESSION, USER, client_of
from support.faulthost import FaultHost, answer

YES = [
    b'{"status":"Success","description":"-","isAuthenticated":true}',
    b'{"status":"Success","description":"-","isAuthenticated":"True"}',
    b'{"status":"Success","description":"-","isAuthenticated":"true"}',
    b' {"isAuthenticated": true, "status": "Success"} ',
    b'{"status":"Success","isAuthenticated":true,"more":{"isAuthenticated":false}}',
]
VERDICTS = [
    '"False"', '"false"', "false", "1", "1.0", "0", "null", "[]", "[true]", "{}", '{"a":true}', '""', '"TRUE"', '"yes"',
    '"1"', '" true"', '"true\\u0000"', '"Success"',
]  # fmt: skip
NO = [
    *(f'{{"status":"Success","isAuthenticated":{verdict}}}'.encode() for verdict in VERDICTS),
    b'{"status":"Success","description":"-"}',
    b'{"status":"Success","IsAuthenticated":true}',
    b'{"status":"Success","isauthenticated":"True"}',
    b'{"status":"Error","description":"Unauthorized","isAuthenticated":true}',
    b'{"status":"error","isAuthenticated":true}',
    b'{"status":"success","isAuthenticated":true}',
    b'{"status":["Success"],"isAuthenticated":true}',
    b'{"status":true,"isAuthenticated":true}',
    b'{"status":null,"isAuthenticated":true}',
    b'{"isAuthenticated":true}',
    b'{"status":"Success","isAuthenticated":false,"isAuthenticated":true}',
    b'{"status":"Success","isAuthenticated":true,"isAuthenticated":true}',
    b'{"status":"Error","status":"Success","isAuthenticated":true}',
    b'{"status":"Success","isAuthenticated":true,"x":{"y":1,"y":2}}',
    b'{"status":"Success","isAuthenticated":true,"x":NaN}',
    b'{"status":"Success","isAuthenticated":true,"x":Infinity}',
    b'{"status":"Success","isAuthenticated":NaN}',
    b'{"status":"Success","isAuthenticated":true}}',
    b'{"status":"Success","isAuthenticated":true}{}',
    b'{"status":"Success","isAuthenticated":true',
    b'[{"status":"Success","isAuthenticated":true}]',
    b'"{\\"status\\":\\"Success\\",\\"isAuthenticated\\":true}"',
    b'\xef\xbb\xbf{"status":"Success","isAuthenticated":true}',
    b'{"status":"Success","isAuthenticated":true,"x":"\xff"}',
    '{"status":"Success","isAuthenticated":true}'.encode("utf-16"),
    b"{'status':'Success','isAuthenticated':true}",
    b'<html>{"status":"Success","isAuthenticated":true}</html>',
    b"status=Success&isAuthenticated=true",
    b"true",
    b"",
]


def authenticated(status: int, body: bytes) -> bool:
    with FaultHost(answer(status, body)) as host, client_of(host.url) as client:
        try:
            return client.authenticate_user(USER, SESSION)
        except HostError:
            return False


@pytest.mark.parametrize("body", YES)
def test_the_documented_yes_is_yes(body: bytes) -> None:
    """`Success` with `isAuthenticated` true, as JSON or as one of the two strings, says that the session is valid."""
    assert authenticated(200, body) is True


@pytest.mark.parametrize("body", NO)
def test_anything_else_is_no(body: bytes) -> None:
    """No other answer says so, however close it comes."""
    assert authenticated(200, body) is False


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 429, 500, 503])
def test_a_yes_under_an_http_error_is_no(status: int) -> None:
    """An answer that says yes and no at once is not a yes."""
    assert authenticated(status, YES[0]) is False


@pytest.mark.parametrize("body", NO)
def test_such_an_answer_logs_no_user_in(body: bytes) -> None:
    """The session endpoint sets no login for it."""
    with FaultHost(answer(200, body)) as host:
        config = {"ONECHAT_API_URL": host.url, "ONECHAT_APP_ID": APP_ID, "ONECHAT_API_KEY": KEY}
        app = create_app({**config, "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests"})
        with app.extensions["miniapp"].client, app.test_client() as browser:
            response = sign_in(browser, USER, SESSION)
            assert response.status_code in (401, 502)
            assert browser.get_cookie(app.extensions["miniapp"].logins.cookie.name) is None
            assert browser.get("/").status_code == 401


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("Success")
NAMES = st.sampled_from(["status", "isAuthenticated", "description", "x"])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))
BODY = st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | JSON.map(json.dumps).map(str.encode)


@pytest.mark.slow
@given(st.just(200) | st.integers(100, 599), BODY)
def test_the_answer_parser_takes_anything(status: int, body: bytes) -> None:
    """Whatever the host sends is a success of the documented form or one of our errors, never an exception."""
    outcome = judge("authenticateUser", Answer(status, body))
    if not isinstance(outcome, HostError):
        assert 200 <= status < 300
        assert outcome["status"] == "Success"
        assert parse(body) == outcome
