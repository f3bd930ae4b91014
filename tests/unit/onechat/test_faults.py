"""Every fault of a host, times every call: the right error, inside the deadline, with the truth of what may be done."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from miniapp.errors import ConfigurationError, HostBusy, HostNonsense, HostRefused, HostUnreachable
from miniapp.onechat import transport
from miniapp.settings import Settings
from support.calls import CALLS, client_of, failure, hasty, threads
from support.faultcases import CASES, ERROR, HTML, WHOLE, Case, cut
from support.faulthost import Fault, FaultHost, Talk, answer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fault(case: Case, call: str) -> None:
    """Each fault ends each call in time, with its own error, which tells whether the call may have been carried out."""
    before = threads()
    with case.host() as (url, host), (hasty if case.waits else client_of)(url) as client:
        error = failure(client, call)
        assert type(error) is case.error
        assert error.call == call
        assert case.maybe_done in (None, error.maybe_done)
        assert error.hint or isinstance(error, HostRefused)
        if host is not None and ((case.maybe_done and call != "authenticateUser") or case.error is not HostUnreachable):
            assert len(host.requests) <= 1
    assert threads() == before


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        ("999999", 3600.0),
        (formatdate(0, usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 50, None),
        ("", None),
    ],
)
def test_retry_after(retry_after: str | None, expected: float | None) -> None:
    """The wait that the host asks for is passed on in seconds, within bounds, and None if it named none."""
    headers = [] if retry_after is None else [f"Retry-After: {retry_after}"]
    with FaultHost(answer(429, ERROR, *headers)) as host, client_of(host.url) as client:
        error = failure(client, "singleMessage")
    assert isinstance(error, HostBusy)
    assert error.retry_after == expected


def test_the_hosts_words_are_passed_on_short_and_without_control_characters() -> None:
    """A description reaches the log in one line of bounded length."""
    refuse = answer(400, {"status": "Error", "description": "no\r\nsuch\x1b[0m user " + "x" * 9999})
    with FaultHost(refuse) as host, client_of(host.url) as client:
        error = failure(client, "singleMessage")
    assert isinstance(error, HostRefused)
    assert error.status == 400
    assert error.description.startswith("no  such [0m user xxx")
    assert len(error.description) <= 200
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refuse", "the connection was refused"),
        ("tls hangs", "in time"),
        ("tls is plain", "TLS failed"),
        ("tls untrusted", "certificate is not trusted (unable to get local issuer certificate)"),
        ("hang before body", "in time"),
        ("reset before answer", "was closed"),
        ("not http", "is not HTTP"),
        ("redirect 302", "redirect"),
        ("gzip bomb", "compressed"),
        ("huge body", "longer than"),
    ],
)
def test_errors_say_what_happened(name: str, words: str) -> None:
    """An error's text names the cause."""
    (case,) = (case for case in CASES if case.name == name)
    with case.host() as (url, _), (hasty if case.waits else client_of)(url) as client:
        assert words in str(failure(client, "singleMessage"))


NO_WAY = {
    "its name was not found": socket.gaierror(socket.EAI_NONAME, "no such name"),
    os.strerror(errno.ENETUNREACH): OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
}


@pytest.mark.parametrize("words", NO_WAY)
def test_a_host_that_the_network_does_not_reach(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that the network doesn't lead to was surely not reached, and the error says why."""

    def getaddrinfo(*args: object) -> None:
        raise NO_WAY[words]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with client_of("https://onechat.invalid/api") as client:
        error = failure(client, "massBroadcast")
    assert isinstance(error, HostUnreachable)
    assert not error.maybe_done
    assert words in str(error)


def test_what_the_caller_is_handling_is_not_taken_for_the_cause() -> None:
    """A call made while another error is handled tells of its own."""
    with FaultHost(Talk.hang) as host, hasty(host.url) as client:
        try:
            raise ConnectionRefusedError
        except ConnectionRefusedError:
            assert "refused" not in str(failure(client, "singleMessage"))


def test_tls_that_is_trusted_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS, calls succeed and share a connection as they do without."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as trusted, FaultHost(tls=context) as host, client_of(host.url) as client:
        client.session.verify = trusted
        for _ in range(3):
            CALLS["singleMessage"](client)
        assert host.connections == 1
        host.fault = lambda talk: talk.drip(WHOLE)
        with hasty(host.url) as impatient:
            impatient.session.verify = trusted
            assert isinstance(failure(impatient, "singleMessage"), HostUnreachable)


def test_a_ca_of_ones_own_is_a_setting(tmp_path: Path) -> None:
    """With ONECHAT_CA_FILE that CA is trusted; without it, the hint names the setting and not the network."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    app = {"ONECHAT_APP_ID": "app-0001", "ONECHAT_API_KEY": "key-0001"}
    settings = Settings.read({**app, "ONECHAT_CA_FILE": str(tmp_path / "ca.pem")})
    with FaultHost(tls=context) as host:
        with client_of(host.url, ca_file=settings.ca_file) as client:
            CALLS["singleMessage"](client)
        with client_of(host.url) as client:
            assert "ONECHAT_CA_FILE" in failure(client, "singleMessage").hint
    for wrong in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(ConfigurationError, match="ONECHAT_CA_FILE"):
            Settings.read({**app, "ONECHAT_CA_FILE": str(wrong)})


def test_limits_leave_room_for_an_answer() -> None:
    """The largest body that counts fits into what is read from the wire, with headers and the marks of chunks."""
    body = b'{"status":"Success","description":"' + b"x" * (transport.ANSWER_MAX_BYTES - 37) + b'"}'
    assert len(body) == transport.ANSWER_MAX_BYTES
    with FaultHost(answer(200, body)) as host, client_of(host.url) as client:
        CALLS["singleMessage"](client)
        host.fault = answer(200, body + b" ")
        assert isinstance(failure(client, "singleMessage"), HostNonsense)


@pytest.mark.parametrize("fault", [answer(502, HTML), Talk.hang, Talk.reset, cut(b"SSH-2.0\r\n")])
def test_a_proxy_that_does_not_connect_has_sent_nothing(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a proxy is told before the connection to the host stands carries nothing of the call."""
    with FaultHost(fault) as proxy, hasty("https://127.0.0.1:9/api", trust_env=True) as client:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        error = failure(client, "massBroadcast")
        assert proxy.requests[0].line.startswith("CONNECT 127.0.0.1:9 ")
    assert isinstance(error, HostUnreachable)
    assert not error.maybe_done
