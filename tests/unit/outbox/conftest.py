"""An outbox of a test's own: a new ledger, and a host that counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from miniapp.errors import MiniAppError
from miniapp.outbox import Outbox
from miniapp.settings import Secret
from support.calls import APP_ID, KEY, client_of
from support.countinghost import Stub
from support.ledgers import Make, check_invariants
from support.postgres import Postgres


@pytest.fixture
def host() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/outbox.db"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture
def postgres_url(server: Postgres) -> str:
    """Return the address of a database that is empty each time."""
    server.empty()
    return server.url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty ledger, for a test that holds on either database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
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
    try:
        if made and (url.startswith("postgresql") or Path(url.removeprefix("sqlite:///")).exists()):
            with suppress(MiniAppError):  # of a test where no ledger can be opened
                check_invariants(made[0])
    finally:
        for outbox in made:
            outbox.stop()


@pytest.fixture
def env(host: Stub, url: str) -> dict[str, str]:
    """Return the settings of such an outbox, for a command."""
    return {
        "ONECHAT_API_URL": host.url,
        "ONECHAT_APP_ID": APP_ID,
        "ONECHAT_API_KEY": KEY,
        "ONECHAT_OUTBOX_URL": url,
        "ONECHAT_OUTBOX_RATE": "0",
    }


@pytest.fixture
def outbox(make: Make) -> Outbox:
    return make()
