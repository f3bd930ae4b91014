"""16. Another site could log its visitor in, or out."""

import pytest

from support.apps import create_app, spy_on


@pytest.mark.parametrize(
    ("headers", "content_type", "status"),
    [
        ({}, "application/json", 403),
        ({"Origin": "null"}, "application/json", 403),
        ({"Origin": "http://evil.example"}, "application/json", 403),
        ({"Origin": "http://localhost.evil.example"}, "application/json", 403),
        ({"Origin": "http://localhost:81"}, "application/json", 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, "application/json", 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"}, "application/json", 403),
        ({"Sec-Fetch-Site": "none"}, "application/json", 403),
        ({"Origin": "http://localhost"}, "application/x-www-form-urlencoded", 415),
        ({"Origin": "http://localhost"}, "multipart/form-data", 415),
        ({"Origin": "http://localhost"}, "text/plain", 415),
    ],
)
def test_a_foreign_or_simple_request_logs_no_user_in(headers, content_type, status, onechat, alice):
    """Only JSON from a page of ours counts; nothing else sets a cookie or reaches the host."""
    app = create_app(onechat.config)
    spy = spy_on(app, onechat)
    body = f'{{"jid": "{alice.jid}", "sessionId": "{onechat.session(alice)}"}}'
    answer = app.test_client().post("/miniapp/session", data=body, content_type=content_type, headers=headers)
    assert answer.status_code == status
    assert "Set-Cookie" not in answer.headers
    assert spy.calls == []


def test_our_own_page_logs_in(onechat, alice):
    """The same request from our own page works: the refusals above are not for another reason."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    for headers in ({"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = app.test_client().post(
            "/miniapp/session", json={"jid": alice.jid, "sessionId": onechat.session(alice)}, headers=headers
        )
        assert answer.status_code == 204
        assert "Set-Cookie" in answer.headers
