"""Threat 27: a host that says a little now and then holds our threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from miniapp.errors import HostUnreachable
from support.calls import CALLS, DEADLINE, failure, hasty, threads
from support.faulthost import FaultHost, Talk, http

pytestmark = pytest.mark.slow

WHOLE = http(200, {"status": "Success", "isAuthenticated": True})
HEAD = WHOLE.index(b"{")


def drip_all(talk: Talk) -> None:
    talk.drip(WHOLE, 0.1)


def drip_body(talk: Talk) -> None:
    talk.send(WHOLE[:HEAD])
    talk.drip(WHOLE[HEAD:], 0.1)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", [Talk.hang, drip_all, drip_body])
def test_a_call_ends_by_its_deadline(fault: object, call: str) -> None:
    """Headers or body a byte at a time, each well within the read time-out, end with the deadline all the same."""
    with FaultHost(fault) as host, hasty(host.url, read_timeout=10.0) as client:  # type: ignore[arg-type]
        error = failure(client, call)
    assert isinstance(error, HostUnreachable)


def test_the_threads_are_given_back() -> None:
    """Twenty calls at once to such a host all end by the deadline, leaving no thread and no connection behind."""
    before = threads()
    with FaultHost(drip_all) as host, hasty(host.url, read_timeout=10.0) as client:
        start = time.monotonic()
        with ThreadPoolExecutor(20) as pool:
            errors = list(pool.map(lambda _: failure(client, "singleMessage"), range(20)))
        assert time.monotonic() - start < 5 * DEADLINE  # half of the read time-out, also on a busy machine
        assert all(isinstance(error, HostUnreachable) for error in errors)
        for _ in range(20):
            host.wait_closed()
    assert threads() == before
