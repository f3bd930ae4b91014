"""Workers are killed and suspended while they send, and the clock is set: nothing is lost, or sent twice in `hold`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from miniapp.outbox import Outbox
from support.clocks import SystemClock
from support.countinghost import Stub
from support.killing import CONCURRENCY, Herd, Report, jump, points, report, settings, torment
from support.ledgers import check_invariants, people
from support.postgres import Postgres

MESSAGES = 10_000
KILLS = 50
STOPS = 4  # each outlasts a lease: on SQLite all wait for one that is suspended while it writes
JUMPS = 4
WORKERS = 3
RATE = 400.0  # a second: so that the kills fall into the whole of it, and it is over in a minute on two cores
Torture = tuple[int, Callable[[], None]]
LIMIT = 600.0  # seconds: it takes one minute, but not on a machine that does other things too


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


def wear_down(herd: Herd, clock: SystemClock, bulks: list[int], outbox: Outbox, host: Stub, *more: Torture) -> None:
    """Kills, suspends and sets the clock at random points, until the bulks are done and nobody is suspended."""
    tortures: list[Torture] = [(at, herd.kill) for at in points(KILLS, MESSAGES)]
    tortures += [(at, herd.suspend) for at in points(STOPS, MESSAGES)]
    tortures += [(at, lambda: jump(clock)) for at in points(JUMPS, MESSAGES)]
    torment(outbox, bulks, host, [*tortures, *more], LIMIT)
    herd.all_go_on()
    torment(outbox, bulks, host, [], LIMIT)  # what those bring back goes out too


def test_on_sqlite(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """50 kills, 4 stops and 4 clock jumps during 10,000 sends by three workers: lost 0; duplicates with `hold` 0."""
    with SystemClock() as clock, Stub(slowness=0.02) as host:
        chosen = settings(f"sqlite:///{tmp_path}/outbox.db", host, RATE)
        outbox = Outbox(chosen)
        bulks = send_both(outbox)
        with Herd(chosen, WORKERS, tmp_path, clock) as herd:
            wear_down(herd, clock, bulks, outbox, host)
        check_invariants(outbox)
        check(*(report(outbox, bulk, host, KILLS + STOPS) for bulk in bulks), request.node)
        outbox.stop()


def test_on_postgres(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The same on Postgres, whose clock it is that jumps, and which is itself killed and started again twice."""
    with SystemClock() as clock, Postgres(clock.environment) as postgres, Stub(slowness=0.02) as host:

        def power_cut() -> None:
            postgres.kill()
            postgres.start()

        chosen = settings(postgres.url, host, RATE)
        outbox = Outbox(chosen)
        bulks = send_both(outbox)
        with Herd(chosen, WORKERS, tmp_path) as herd:
            wear_down(herd, clock, bulks, outbox, host, (MESSAGES // 3, power_cut), (MESSAGES * 2 // 3, power_cut))
        check_invariants(outbox)
        check(*(report(outbox, bulk, host, KILLS + STOPS + 2 * WORKERS) for bulk in bulks), request.node)
        outbox.stop()
