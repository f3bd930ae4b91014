"""The starter under load, beside a host that fails: the short form of `scripts/soak load`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from soak.load import load


def test_load(request: pytest.FixtureRequest) -> None:
    """60 users with 100 requests a second, a host that fails a tenth of its calls, 2 reloads and 3 kills: those who are
    in always get their pages, nothing grows, a reload loses no request, and a kill none that was sent after it.
    """
    with ThreadPoolExecutor(1) as pool:  # a browser test before this one leaves an event loop in this thread
        result = pool.submit(load, users=60, seconds=10, think=0.6, reloads=2, kills=3).result()
    request.node.user_properties.append(("load", result.record()))
    assert result.broken() == []
    assert sum(result.host_failed.values()) > 0
