"""Threat 36, the outbox's part: a message to a whole domain is posted once, whatever becomes of it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from miniapp.outbox import Outbox
from miniapp.settings import Secret
from support.calls import client_of
from support.faulthost import Fault, FaultHost, Talk, answer

FAULTS: dict[str, tuple[Fault, str]] = {
    "time-out": (Talk.hang, "unknown"),
    "reset": (Talk.reset, "unknown"),
    "500": (answer(500), "unknown"),
    "nonsense": (answer(200, b"{}"), "unknown"),
    "429": (answer(429, b"", "Retry-After: 0"), "refused"),
}


@pytest.mark.parametrize("policy", ["hold", "resend"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_broadcast_in_a_bulk_is_posted_once(name: str, policy: str, tmp_path: Path) -> None:
    """Also where the policy is to send again; not until a person says so by name does it go out a second time."""
    fault, state = FAULTS[name]
    with FaultHost(fault) as host, client_of(host.url, deadline=0.5, outbox_rate=0.0) as client:
        settings = {"outbox_url": Secret(f"sqlite:///{tmp_path}/o.db"), "outbox_worker": "process"}
        outbox = Outbox(type(client.settings)(**{**vars(client.settings), **settings}), client)
        bulk = outbox.send(["onechat.net"], "Hi", policy=policy)  # type: ignore[arg-type]
        for _ in range(2):
            outbox.work(Event(), drain=True)
        assert getattr(outbox.progress(bulk.id), state) == 1
        assert [request.call for request in host.requests] == ["massBroadcast"]
        assert outbox.retry(bulk.id, "unknown", "refused") == 0
        outbox.stop()
