"""24. A session that the host has revoked could stay good with us."""

import time

import pytest
import requests

from miniapp.login import verifier
from support.apps import create_app, sign_in, spy_on
from support.servers import gunicorn

pytestmark = pytest.mark.slow

LIFETIME = 3


def test_a_revoked_session_is_out_within_the_lifetime(onechat_server, alice):
    """Of four workers none serves it for longer than the login's lifetime and a second."""
    settings = {**onechat_server.config, "ONECHAT_PUBLIC_URL": "", "ONECHAT_LOGIN_LIFETIME": LIFETIME}
    with gunicorn(settings, "--workers", "4") as url, requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Origin": url, "Connection": "close"})  # each request to any worker
        login = {"jid": alice.jid, "sessionId": onechat_server.session(alice)}
        assert session.post(f"{url}/miniapp/session", json=login, timeout=10).status_code == 204
        cookies = {cookie.name: cookie.value for cookie in session.cookies}
        assert session.get(url, timeout=10).status_code == 200
        onechat_server.revoke(alice)
        revoked = time.monotonic()
        while session.get(url, timeout=10, cookies=cookies).status_code == 200:
            assert time.monotonic() - revoked < LIFETIME + 1
        for _ in range(40):
            assert session.get(url, timeout=10, cookies=cookies).status_code == 401


def test_logout_and_refusal_end_a_login_at_once(onechat, alice):
    """Neither waits for the lifetime, and a refusal is remembered for five seconds at most."""
    assert verifier.REMEMBERED <= 5
    app = create_app(onechat.config)
    spy_on(app, onechat)
    client = app.test_client()
    session_id = onechat.session(alice)
    sign_in(client, alice, session_id)
    assert client.delete("/miniapp/session", headers={"Origin": "http://localhost"}).status_code == 204
    assert client.get("/").status_code == 401
    sign_in(client, alice, session_id)
    onechat.revoke(alice)
    app.extensions["miniapp"].verifier._answers.clear()  # as after five seconds
    assert sign_in(client, alice, session_id).status_code == 401
    assert client.get("/").status_code == 401
