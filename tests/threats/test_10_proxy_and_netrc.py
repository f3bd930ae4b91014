"""Threat 10: a proxy of the environment, or a password of .netrc, gets between the mini app and OneChat."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from miniapp.onechat.client import OneChat
from miniapp.settings import Secret, Settings
from support.calls import CALLS, KEY, client_of
from support.faulthost import FaultHost, answer

GOOD = {"status": "Success", "appId": "app-12345", "apiKey": "key-12345678"}


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultHost]:
    with FaultHost(answer(200, GOOD)) as proxy:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login spy password canary\n")
        (tmp_path / "netrc").chmod(0o600)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield proxy


@pytest.mark.parametrize("call", CALLS)
def test_the_environment_is_ignored(proxy: FaultHost, call: str) -> None:
    """Calls go straight to the host, without a password of .netrc, also through a session of the user's own."""
    with FaultHost(answer(200, GOOD)) as host:
        with client_of(host.url) as client:
            CALLS[call](client)
        settings = Settings(api_url=host.url, app_id="app-0001", api_key=Secret(KEY))
        with OneChat(settings, session=requests.Session()) as client:
            CALLS[call](client)
        assert len(host.requests) == 2
        assert all("authorization" not in request.headers for request in host.requests)
    assert proxy.connections == 0


def test_the_environment_is_obeyed_on_request(proxy: FaultHost) -> None:
    """With ONECHAT_TRUST_ENV the same settings count, so the test above tests something."""
    with FaultHost() as host, client_of(host.url, trust_env=True) as client:
        CALLS["singleMessage"](client)
        assert host.connections == 0
    (request,) = proxy.requests
    assert request.line.startswith(f"POST {host.url}/singleMessage ")
    assert "authorization" in request.headers
