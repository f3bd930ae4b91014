"""Threat 9: a redirect carries the API key, or a body with secrets, to another server."""

import pytest

from miniapp.errors import HostNonsense
from support.calls import CALLS, client_of, failure
from support.faulthost import FaultHost, answer


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int, call: str) -> None:
    """The host that a redirect points at hears nothing, nor does the first host hear a second request."""
    with FaultHost() as attacker:
        for target in (attacker.url + "/" + call, f"//127.0.0.1:{attacker.port}/", "/onechat/api/elsewhere", "::bad::"):
            with FaultHost(answer(status, b"{}", f"Location: {target}")) as host, client_of(host.url) as client:
                assert isinstance(failure(client, call), HostNonsense)
                assert len(host.requests) == 1
        assert attacker.connections == 0
