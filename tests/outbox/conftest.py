"""An outbox of a test's own: a new ledger, and a host that counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import client_of
from countinghost import Stub
from ledgers import Make

from miniapp.outbox import Outbox
from miniapp.settings import Secret


@pytest.fixture
def host() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/outbox.db"


@pytest.fixture
def make(host: Stub, url: str) -> Iterator[Make]:
    """`make(outbox_rate=10)`: one more outbox on the same ledger, as another process has. No worker by itself."""
    made: list[Outbox] = []

    def new(**settings: Any) -> Outbox:
        defaults = {"outbox_url": Secret(url), "outbox_worker": "process", "outbox_rate": 0.0}
        client = client_of(host.url, **{**defaults, **settings})
        made.append(Outbox(client.settings, client))
        return made[-1]

    yield new
    for outbox in made:
        outbox.stop()


@pytest.fixture
def outbox(make: Make) -> Outbox:
    return make()
