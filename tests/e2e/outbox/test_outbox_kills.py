"""Workers are killed and suspended while they send, and the clock is set: nothing is lost, or sent twice in `hold`."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniapp.outbox import Outbox
from support.clocks import SystemClock
from support.countinghost import Stub
from support.crashes import CONCURRENCY, Blow, Report, Workers, crash_test, jump, points, report, settings
from support.ledgers import check_invariants, people
from support.postgres import Postgres

MESSAGES = 10_000
KILLS = 50
STOPS = 4  # few: on SQLite all wait for a worker that is suspended while it writes
JUMPS = 4
WORKERS = 3
RATE = 400.0  # messages a second: the run takes a minute, on two cores too
LIMIT = 600.0  # seconds: ten times what a run takes on an idle machine


def send_both(outbox: Outbox) -> list[int]:
    """Send half of the messages with each policy. Return the bulks."""
    everyone = people(MESSAGES)
    half = MESSAGES // 2
    first = outbox.send(everyone[:half], "Hi", policy="hold")
    return [first.id, outbox.send(everyone[half:], "Hi", policy="resend").id]


def check(hold: Report, resend: Report, record: pytest.Function) -> None:
    """Check the promises, and put the figures into the test's record."""
    for row in (hold, resend):
        record.user_properties.append((row.policy, str(row)))
        assert row.lost == 0, row
    print(Report.head(), hold, resend, sep="\n")
    assert hold.duplicates == 0
    assert resend.sent == resend.messages
    assert resend.duplicates <= resend.kills * CONCURRENCY


def crash_until_done(
    workers: Workers, clock: SystemClock, bulks: list[int], outbox: Outbox, host: Stub, *more: Blow
) -> None:
    """Kill, suspend and set the clock at random points, until the bulks are done and no worker is suspended."""
    blows: list[Blow] = [(at, workers.kill) for at in points(KILLS, MESSAGES)]
    blows += [(at, workers.suspend) for at in points(STOPS, MESSAGES)]
    blows += [(at, lambda: jump(clock)) for at in points(JUMPS, MESSAGES)]
    crash_test(outbox, bulks, host, [*blows, *more], LIMIT)
    workers.resume_all()
    crash_test(outbox, bulks, host, [], LIMIT)  # what the resumed workers gave back goes out too


def test_on_sqlite(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """50 kills, 4 stops and 4 clock jumps during 10,000 sends by three workers: lost 0; duplicates with `hold` 0."""
    with SystemClock() as clock, Stub(slowness=0.02) as host:
        chosen = settings(f"sqlite:///{tmp_path}/outbox.db", host, RATE)
        outbox = Outbox(chosen)
        bulks = send_both(outbox)
        with Workers(chosen, WORKERS, tmp_path, clock) as workers:
            crash_until_done(workers, clock, bulks, outbox, host)
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
        with Workers(chosen, WORKERS, tmp_path) as workers:
            crash_until_done(
                workers, clock, bulks, outbox, host, (MESSAGES // 3, power_cut), (MESSAGES * 2 // 3, power_cut)
            )
        check_invariants(outbox)
        check(*(report(outbox, bulk, host, KILLS + STOPS + 2 * WORKERS) for bulk in bulks), request.node)
        outbox.stop()
