"""The starter under gunicorn, with settings alone: how it runs in the real OneChat."""

from __future__ import annotations

import requests

from miniapp.testing.onechat import LocalOneChat
from support.servers import gunicorn


def test_the_starter_serves_verified_users(onechat_server: LocalOneChat, alice):
    """`gunicorn wsgi:app` verifies a session at the host, serves the page, and sends an alert that arrives."""
    settings = {**onechat_server.config, "ONECHAT_PUBLIC_URL": ""}
    with gunicorn(settings, "--workers", "2") as url, requests.Session() as session:
        session.trust_env = False
        session.headers["Origin"] = url
        assert session.get(f"{url}/healthz", timeout=10).json() == {"status": "ok"}
        assert session.get(f"{url}/readyz", timeout=10).ok
        assert session.get(url, timeout=10).status_code == 401
        login = {"jid": alice.jid, "sessionId": onechat_server.session(alice)}
        assert session.post(f"{url}/miniapp/session", json=login, timeout=10).status_code == 204
        for _ in range(20):  # whichever worker answers
            page = session.get(url, timeout=10)
            assert page.status_code == 200
            assert alice.jid in page.text
        assert session.post(f"{url}/api/alerts", data={"message": "Soup is ready"}, timeout=10).status_code == 204
    assert [message["text"] for message in onechat_server.messages(alice)][-1] == "Soup is ready"
