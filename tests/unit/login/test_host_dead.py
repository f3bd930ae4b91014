"""A host that is away: those who are in stay in, the others are told at once, and it is asked again before long."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from miniapp.errors import HostBusy, HostNonsense, HostRefused, HostUnreachable
from miniapp.login import breaker, verifier
from miniapp.login.breaker import FAILURES, PLACES, Breaker
from miniapp.login.user import User
from support.apps import create_app, sign_in
from support.calls import APP_ID, DEADLINE, KEY, SESSION, threads
from support.faultcases import CASES, Case
from support.faulthost import FaultHost, Talk, succeed
from support.servers import gunicorn

pytestmark = pytest.mark.slow

SETTINGS = {
    "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
    "ONECHAT_APP_ID": APP_ID,
    "ONECHAT_API_KEY": KEY,
}
HASTY = {"ONECHAT_CONNECT_TIMEOUT": 0.8, "ONECHAT_READ_TIMEOUT": 0.8, "ONECHAT_DEADLINE": DEADLINE}
THREADS = 8  # as we ship it
ANSWERS = {HostUnreachable: 503, HostBusy: 503, HostNonsense: 502, HostRefused: 401}


def mini_app(url: str, **more: Any) -> Flask:
    return create_app({**SETTINGS, "ONECHAT_API_URL": url, **more})


def breaker_of(app: Flask) -> Breaker:
    return app.extensions["miniapp"].verifier._breaker


def user_jid(number: int) -> str:
    return f"{6580000000 + number}@onechat.net"


def log_in(app: Flask, number: int) -> TestResponse:
    return sign_in(app.test_client(), user_jid(number), SESSION)


def logged_in(app: Flask) -> FlaskClient:
    """A client of a user whom the host verified while it was up."""
    state, client = app.extensions["miniapp"], app.test_client()
    cookie = state.logins.sign(User(user_jid(0), time.time() + 300, "digest"), state.logins.cookies)
    client.set_cookie(state.logins.cookie.name, cookie)
    return client


def open_breaker(app: Flask) -> None:
    with ThreadPoolExecutor(FAILURES) as pool:
        assert {answer.status_code for answer in pool.map(lambda n: log_in(app, n), range(FAILURES))} == {503}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pages_are_served_whatever_the_host_does(case: Case) -> None:
    """With each fault a login ends with its own status, who is in gets their pages, and no thread stays behind."""
    before = threads()
    with case.host() as (url, _), ThreadPoolExecutor(PLACES) as pool:
        app = mini_app(url, **(HASTY if case.waits else {}))
        user = logged_in(app)
        logins = [pool.submit(log_in, app, number) for number in range(FAILURES)]
        assert user.get("/").status_code == 200  # while they are under way
        for answer in [login.result() for login in logins]:
            assert answer.status_code == ANSWERS[case.error]
            assert ("Retry-After" in answer.headers) == (answer.status_code == 503)
            assert SESSION not in answer.text
            assert KEY not in answer.text
        assert user.get("/").status_code == 200
        app.extensions["miniapp"].client.close()
    assert threads() == before


@pytest.mark.parametrize("case", [case for case in CASES if case.error is HostUnreachable], ids=lambda case: case.name)
def test_a_host_known_to_be_away_is_not_asked(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """After five failures of a kind that means that the host is away, a login is a 503 without any connection."""
    with case.host() as (url, host):
        app = mini_app(url, **(HASTY if case.waits else {}))
        open_breaker(app)
        connections = host.settled() if host else 0
        for number in range(FAILURES):
            caplog.clear()
            answer = log_in(app, 100 + number)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            assert "was not asked" in caplog.text
        assert (host.settled() - 1 if host else 0) == connections
        app.extensions["miniapp"].client.close()


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.error is not HostUnreachable], ids=lambda case: case.name
)
def test_a_host_that_answers_is_asked_again(case: Case) -> None:
    """What the host itself says, however odd, does not keep the next user from being asked about."""
    with case.host() as (url, host):
        app = mini_app(url)
        for number in range(FAILURES):
            log_in(app, number)
        requests_before = len(host.requests)
        log_in(app, 100)
        assert len(host.requests) == requests_before + 1
        app.extensions["miniapp"].client.close()


def test_one_login_tries_whether_the_host_is_back() -> None:
    """Once it is time, one login is a try, and the others go on failing at once while it is under way."""
    with FaultHost(Talk.reset) as host, ThreadPoolExecutor(1) as pool:
        app = mini_app(host.url)
        open_breaker(app)
        connections = host.connections
        host.fault = Talk.hang
        breaker_of(app)._probe_at = 0  # as after five seconds
        probe = pool.submit(log_in, app, 100)
        while host.connections == connections:
            wait([probe], timeout=0.01)
        for number in range(FAILURES):
            assert log_in(app, 200 + number).status_code == 503
        assert host.connections == connections + 1
        assert not probe.done()
        host.__exit__()
        assert probe.result().status_code == 503


def test_a_host_that_is_back_serves_everybody() -> None:
    """The first login that succeeds ends it for all."""
    with FaultHost(Talk.reset) as host:
        app = mini_app(host.url)
        open_breaker(app)
        host.fault = succeed
        assert log_in(app, 100).status_code == 503
        breaker_of(app)._probe_at = 0  # as after five seconds
        assert [log_in(app, 100 + number).status_code for number in range(FAILURES)] == [204] * FAILURES


def test_failures_that_are_not_in_a_row_are_no_sign(caplog: pytest.LogCaptureFixture) -> None:
    """A login that succeeds between failures starts the count again."""
    with FaultHost(Talk.reset) as host:
        app = mini_app(host.url)
        for number in range(FAILURES - 1):
            assert log_in(app, number).status_code == 503
        host.fault = succeed
        assert log_in(app, 100).status_code == 204
        host.fault = Talk.reset
        caplog.clear()
        assert [log_in(app, number).status_code for number in (101, 102)] == [503, 503]
        assert "was not asked" not in caplog.text


def test_logins_and_messages_do_not_shut_each_other_out() -> None:
    """Messages are tried although logins fail, and their failures stop no login."""
    with FaultHost(Talk.reset) as host:
        app = mini_app(host.url)
        user = logged_in(app)
        open_breaker(app)
        tried = len(host.requests)
        for _ in range(FAILURES):
            message = {"to": user_jid(1), "text": "Hi"}
            assert user.post("/alert", json=message, headers={"Origin": "http://localhost"}).status_code == 503
        assert [request.call for request in host.requests[tried:]] == ["singleMessage"] * FAILURES
        breaker_of(app)._note(0)
        host.fault = succeed
        assert log_in(app, 100).status_code == 204


def test_requests_that_share_a_hanging_login_wait_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one user's requests, those that share a call which hangs get their 503 before the call is over."""
    monkeypatch.setattr(verifier, "PATIENCE", 0.05)  # seconds, instead of two
    with FaultHost(Talk.hang) as host, ThreadPoolExecutor(1) as pool:
        app = mini_app(host.url)
        first = pool.submit(log_in, app, 1)
        while not host.requests:
            wait([first], timeout=0.01)
        assert log_in(app, 1).status_code == 503
        assert not first.done()
        assert len(host.requests) == 1
        host.__exit__()


def test_while_the_host_is_well_no_login_waits_for_another() -> None:
    """More logins than may take their time are all under way at once."""
    with FaultHost(Talk.hang) as host, ThreadPoolExecutor(3 * PLACES) as pool:
        app = mini_app(host.url)
        logins = [pool.submit(log_in, app, number) for number in range(3 * PLACES)]
        while len(host.requests) < len(logins):
            assert not wait(logins, timeout=0.01).done
        host.__exit__()
        wait(logins)


def test_one_login_that_hangs_beyond_the_places_is_no_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the host answers others, a call that gets no answer in its short time counts for one failure."""
    monkeypatch.setattr(breaker, "PATIENCE", 0.05)  # seconds, instead of two
    gate = Breaker("authenticateUser")
    with ExitStack() as places:
        for _ in range(PLACES):
            assert places.enter_context(gate.place()) is None

        def hang(*, while_another_is_answered: bool) -> None:
            with gate.place() as seconds:
                assert seconds == breaker.PATIENCE
                ends = time.monotonic() + seconds
                if while_another_is_answered:
                    with gate.place():
                        pass
                Event().wait(ends - time.monotonic())
                raise gate.away()

        for answered in (True, False):
            with pytest.raises(HostUnreachable):
                hang(while_another_is_answered=answered)
            assert gate._may_try() is answered


def test_a_host_that_hangs_holds_half_of_the_threads() -> None:
    """Under gunicorn with the threads that we ship, 40 logins at a host that hangs leave the pages to those who are in:
    four logins hold a thread each, the others are answered while those four still wait.
    """
    patient = {"ONECHAT_READ_TIMEOUT": 60, "ONECHAT_DEADLINE": 60}  # seconds: those four wait for all of the test
    with FaultHost() as host, ThreadPoolExecutor(40) as pool, requests.Session() as user:
        user.trust_env = False
        settings = {**SETTINGS, **patient, "ONECHAT_API_URL": host.url}
        with gunicorn(settings, "--worker-class", "gthread", "--threads", str(THREADS)) as url:

            def post(session: Any, number: int) -> int:
                login = {"jid": user_jid(number), "sessionId": SESSION}
                headers = {"Origin": url, "Connection": "close"}
                return session.post(f"{url}/miniapp/session", json=login, headers=headers, timeout=30).status_code

            assert post(user, 0) == 204
            host.fault = Talk.hang
            logins: list[Future[int]] = [pool.submit(post, requests, 1 + number) for number in range(40)]
            told: set[Future[int]] = set()
            while len(told) < 40 - PLACES:
                assert user.get(url, timeout=30).status_code == 200
                told, _ = wait(logins, timeout=0)
            assert {login.result() for login in told} == {503}
            for _ in range(20):
                assert user.get(url, headers={"Connection": "close"}, timeout=30).status_code == 200
            assert 1 + PLACES <= len(host.requests) <= 1 + THREADS
            host.__exit__()  # the four are let go
            assert {login.result() for login in logins} == {503}
