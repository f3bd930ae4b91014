"""Workers are killed with SIGKILL while they send: nothing is lost, nothing comes twice where that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from countinghost import Stub
from killing import CONCURRENCY, Herd, Report, points, report, settings, torment
from ledgers import people
from postgres import Postgres

from miniapp.outbox import Outbox

MESSAGES = 10_000
KILLS = 50
WORKERS = 3
RATE = 400.0  # a second: so that the kills fall into the whole of it, and it is over in a minute on two cores
LIMIT = 300.0  # seconds: it takes one minute, but not on a machine that does other things too


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def send_both(outbox: Outbox) -> list[int]:
    """A bulk for each policy, half of the messages each."""
    everybody = people(MESSAGES)
    half = MESSAGES // 2
    first = outbox.send(everybody[:half], "Hi", policy="hold")
    return [first.id, outbox.send(everybody[half:], "Hi", policy="resend").id]


def check(hold: Report, resend: Report, record: pytest.Function) -> None:
    """The promises, and the figures into the test's record."""
    for row in (hold, resend):
        record.user_properties.append((row.policy, str(row)))
        assert row.lost == 0, row
    print(Report.head(), hold, resend, sep="\n")
    assert hold.duplicates == 0
    assert resend.sent == resend.messages
    assert resend.duplicates <= resend.kills * CONCURRENCY


def test_on_sqlite(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """50 kills during 10,000 sends by three workers on one SQLite file: lost 0; duplicates with `hold` 0."""
    with Stub(slowness=0.02) as host:
        chosen = settings(f"sqlite:///{tmp_path}/outbox.db", host, RATE)
        outbox = Outbox(chosen)
        bulks = send_both(outbox)
        with Herd(chosen, WORKERS, tmp_path) as herd:
            torment(outbox, bulks, host, [(at, herd.kill) for at in points(KILLS, MESSAGES)], LIMIT)
        check(*(report(outbox, bulk, host, KILLS) for bulk in bulks), request.node)
        outbox.stop()


def test_on_postgres(tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest) -> None:
    """The same on Postgres, which is itself killed and started again twice."""

    def power_cut() -> None:
        postgres.kill()
        postgres.start()

    with Stub(slowness=0.02) as host:
        chosen = settings(postgres.url, host, RATE)
        outbox = Outbox(chosen)
        bulks = send_both(outbox)
        with Herd(chosen, WORKERS, tmp_path) as herd:
            kills = [(at, herd.kill) for at in points(KILLS, MESSAGES)]
            kills += [(MESSAGES // 3, power_cut), (MESSAGES * 2 // 3, power_cut)]
            torment(outbox, bulks, host, kills, LIMIT)
        check(*(report(outbox, bulk, host, KILLS + 2 * WORKERS) for bulk in bulks), request.node)
        outbox.stop()
