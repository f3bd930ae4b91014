"""Threat 36: a broadcast to all users is sent twice."""

import pytest

from miniapp.errors import HostError
from support.calls import client_of, failure
from support.faulthost import Fault, FaultHost, Talk, answer

FAULTS: dict[str, Fault] = {
    "time-out": Talk.hang,
    "reset": Talk.reset,
    "close": lambda talk: talk.sock.shutdown(2),
    "500": answer(500, b"<h1>Oops</h1>"),
    "503": answer(503, b"", "Retry-After: 0"),
    "nonsense": answer(200, b"{}"),
    "307": answer(307, b"", "Location: /onechat/api/massBroadcast"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broadcast_is_posted_once(name: str) -> None:
    """After each fault the host has seen exactly one POST, and the error says that the outcome is unknown."""
    with FaultHost(FAULTS[name]) as host, client_of(host.url, deadline=1.0) as client:
        error = failure(client, "massBroadcast")
        assert isinstance(error, HostError)
        assert error.maybe_done
        assert [request.call for request in host.requests] == ["massBroadcast"]
        assert host.connections == 1


def test_not_even_one_that_surely_never_left() -> None:
    """A connection that fails at once is tried once: the person who confirmed the broadcast decides about more."""
    with FaultHost(greet=Talk.reset) as host, client_of(host.url, deadline=1.0) as client:
        failure(client, "massBroadcast")
        assert host.connections == 1
