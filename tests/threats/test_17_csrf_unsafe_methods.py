"""17. Another site could act with the visitor's cookie."""

import pytest

from support.apps import create_app, sign_in, spy_on


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/alert", "/miniapp/session", "/nowhere"])
@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:5000"])
def test_an_unsafe_method_with_the_cookie_comes_from_our_own_page(method, path, origin, onechat, alice):
    """Whatever the method, type and target: a foreign or absent origin is 403, and nothing was sent."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = client.open(
            path,
            method=method,
            data=f'{{"to": "{alice.jid}", "text": "hello"}}',
            content_type=content_type,
            headers={"Origin": origin} if origin else {},
        )
        assert answer.status_code == 403
    assert onechat.sent() == []
    assert client.get("/").status_code == 200
