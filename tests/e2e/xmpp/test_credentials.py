"""Who may log in to the XMPP server, and who may ask."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
import requests

from miniapp.sandbox.network.xmpp.accounts import Authority
from miniapp.sandbox.network.xmpp.credentials import Credentials
from miniapp.sandbox.network.xmpp.extauth import serve
from miniapp.sandbox.store import Store
from support.people import ALICE, BOB, DOMAIN


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credentials(clock: Clock) -> Iterator[Credentials]:
    store = Store(domain=DOMAIN)
    yield Credentials(store, clock)
    store.close()


@pytest.fixture
def authority(credentials: Credentials) -> Iterator[Authority]:
    with Authority(credentials) as authority:
        yield authority


def test_a_signed_password_is_good_for_its_user_and_its_time(credentials: Credentials, clock: Clock) -> None:
    """Not for another user, not a second longer, not with a later end written into it, not from another sandbox."""
    password = credentials.sign(ALICE, 60)
    assert credentials.check(ALICE, password)
    assert not credentials.check(BOB, password)
    mark, expires, signature = password.split(".")
    assert not credentials.check(ALICE, f"{mark}.{int(expires) + 60}.{signature}")
    assert not Credentials(credentials._store, clock).check(ALICE, password)
    clock.now += 60
    assert not credentials.check(ALICE, password)


@pytest.mark.parametrize(
    "password", ["", "oc1", "oc1.", "oc1..", "oc1.x.y", "oc1.9999999999.", "é", "\ud800", "x" * 5000]
)
def test_nonsense_is_no_password(credentials: Credentials, password: str) -> None:
    """Whatever comes is refused, and breaks nothing."""
    credentials._store.passwords.issue(ALICE)
    assert not credentials.check(ALICE, password)


def test_an_issued_password_lasts_until_the_next(credentials: Credentials) -> None:
    """A user has one password; a removed user has none; the store keeps a digest."""
    first = credentials._store.passwords.issue(ALICE)
    assert credentials.check(ALICE, first)
    second = credentials._store.passwords.issue(ALICE)
    assert not credentials.check(ALICE, first)
    assert credentials.check(ALICE, second)
    credentials._store.users.remove(ALICE)
    assert not credentials.check(ALICE, second)


def test_only_the_server_may_ask(authority: Authority) -> None:
    """Without the shared secret nothing is answered; nonsense is refused."""
    body = {"user": "alice", "password": "x"}
    own = {"Authorization": f"Bearer {authority.secret}"}
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": authority.secret}):
        assert requests.post(authority.url + "/check", json=body, headers=headers, timeout=5).status_code == 401
    assert requests.post(authority.url + "/check", json=body, headers=own, timeout=5).json() == {"ok": False}
    assert requests.post(authority.url + "/nothing", json=body, headers=own, timeout=5).status_code == 404
    for data in (b"[]", b"{", b"[" * 5000, b"x" * 10_000):
        assert requests.post(authority.url + "/check", data=data, headers=own, timeout=5).status_code == 400


def test_extauth_speaks_ejabberds_protocol(authority: Authority, credentials: Credentials) -> None:
    """Right and wrong passwords, known and unknown users; orders and nonsense are refused, one answer to each."""
    password = credentials._store.passwords.issue(ALICE)
    questions = {
        f"auth:alice:{DOMAIN}:{password}": 1,
        f"auth:alice:{DOMAIN}:wrong:colons:in:it": 0,
        f"isuser:alice:{DOMAIN}": 1,
        f"isuser:nobody:{DOMAIN}": 0,
        f"setpass:alice:{DOMAIN}:new": 0,
        "": 0,
    }
    asked = b"".join(struct.pack(">H", len(question)) + question.encode() for question in questions)
    answers = io.BytesIO()
    serve(authority.url, authority.secret, io.BytesIO(asked), answers)
    assert answers.getvalue() == b"".join(struct.pack(">HH", 2, yes) for yes in questions.values())


def test_extauth_says_no_to_what_is_no_answer() -> None:
    """Whatever else is on that port, the program goes on."""
    question = f"isuser:alice:{DOMAIN}".encode()
    answers = io.BytesIO()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk_nonsense() -> None:
            for _ in range(2):
                with server.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=talk_nonsense)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        serve(url, "secret", io.BytesIO((struct.pack(">H", len(question)) + question) * 2), answers)
        thread.join()
    assert answers.getvalue() == struct.pack(">HH", 2, 0) * 2
