"""The ledger on Postgres: rows and jobs in one transaction, workers that share, sweeps, time by the server's clock."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text, update

from miniapp.errors import JIDError
from miniapp.outbox import KeyTakenError, Outbox, cluster, ledger
from miniapp.outbox.jobs import JOBS_MAX
from miniapp.outbox.outcomes import Claim
from miniapp.outbox.tables import item as item_table
from support.countinghost import Stub
from support.ledgers import Make, back, check_invariants, drain, people

PATIENCE = 30.0  # seconds for what takes one or two


@pytest.fixture
def url(postgres_url: str) -> str:
    """Take the place of SQLite's, for the fixtures of `conftest.py`."""
    return postgres_url


def jobs(outbox: Outbox) -> int:
    with outbox.database.read.begin() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")).scalar_one()
        )


def test_rows_and_jobs_are_committed_together(outbox: Outbox) -> None:
    """A bulk has a job for each 250 recipients, 32 at most, from the moment it is accepted; a refused one has none."""

    def broken() -> Iterator[str]:
        yield from people(10)
        yield "no JID/"

    with pytest.raises(JIDError):
        outbox.send(broken(), "Hi")
    assert (jobs(outbox), outbox.list()) == (0, [])
    outbox.send(people(600), "Hi")
    assert jobs(outbox) == 3
    outbox.send(people(10_000), "Hi")
    assert jobs(outbox) == 3 + JOBS_MAX


def test_keys_work_as_on_sqlite(outbox: Outbox) -> None:
    """The same bulk again is found; another is an error; neither leaves jobs behind."""
    first = outbox.send(people(20), "Hi", key="k")
    assert outbox.send(random.sample(people(20), 20), "Hi", key="k").id == first.id
    with pytest.raises(KeyTakenError):
        outbox.send(people(20), "Ho", key="k")
    assert jobs(outbox) == 1


def test_of_two_that_send_the_same_at_once_one_does(make: Make) -> None:
    """Two processes with the same key at the same time make one bulk."""
    found = []
    gate = threading.Barrier(2)

    def send(outbox: Outbox) -> None:
        _ = outbox.database
        gate.wait(PATIENCE)
        found.append(outbox.send(people(3000), "Hi", key="k"))

    threads = [threading.Thread(target=send, args=(make(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert {bulk.id for bulk in found} == {found[0].id}
    assert sorted(bulk.new for bulk in found) == [False, True]


def test_workers_share_a_bulk(make: Make, host: Stub) -> None:
    """Three workers send every message once, woken by the jobs; at the end nothing is left over."""
    stop = threading.Event()
    outboxes = [make() for _ in range(3)]
    threads = [threading.Thread(target=outbox.work, args=(stop,)) for outbox in outboxes]
    for thread in threads:
        thread.start()
    bulk = outboxes[0].send([*people(1500), "onechat.net"], "Hi")
    last = list(outboxes[0].watch(bulk.id, PATIENCE))[-1]
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert (last.state, last.sent) == ("done", 1501)
    assert set(host.accepted.values()) == {1}
    with outboxes[0].database.read.begin() as connection:
        holders = connection.execute(text("SELECT count(DISTINCT worker) FROM outbox_item")).scalar_one()
    assert holders > 1


def test_claims_of_two_workers_never_meet(outbox: Outbox) -> None:
    """While one has not yet committed what it claims, the other gets other items, at once."""
    outbox.send(people(20), "Hi")
    database = outbox.database
    with database.write.begin() as one, database.write.begin() as other:
        running = ledger.running(one, database)
        first = ledger.claim(one, database, running, "one", 8, 60)
        second = ledger.claim(other, database, running, "other", 8, 60)
    assert len({claim.id for claim in (*first, *second)}) == 16


def test_a_lost_job_is_made_up_for(outbox: Outbox) -> None:
    """Where the jobs are gone, a sweep defers new ones, and never a second one for the same place."""
    outbox.send(people(600), "Hi")
    with outbox.database.write.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    for _ in range(2):
        cluster.sweep(outbox.database)
        assert jobs(outbox) == 3


def test_a_sweep_takes_over_from_dead_workers(outbox: Outbox, host: Stub) -> None:
    """What was begun is decided by the policy, what was only leased is sent."""
    bulk = outbox.send(people(10), "Hi")
    database = outbox.database
    with database.write.begin() as connection:
        claims = ledger.claim(connection, database, ledger.running(connection, database), "gone", 10, -1)
        ledger.begin(connection, database, claims[:4], "gone", -1)
    cluster.sweep(database)
    progress = outbox.progress(bulk.id)
    assert (progress.queued, progress.unknown) == (6, 4)
    assert drain(outbox, bulk.id).sent == 6
    assert host.count == 6


def test_leases_go_by_the_servers_clock(outbox: Outbox) -> None:
    """A machine whose own clock is wrong takes nothing from others: the time is never its own."""
    outbox.send(people(1), "Hi")
    database = outbox.database
    with database.write.begin() as connection:
        ledger.claim(connection, database, ledger.running(connection, database), "one", 1, 60)
        left = connection.execute(
            text("SELECT lease - extract(epoch FROM clock_timestamp()) FROM outbox_item")
        ).scalar_one()
        assert 55 < left <= 60
        assert ledger.sweep(connection, database) == 0
        connection.execute(update(item_table).values(lease=0))
        assert ledger.sweep(connection, database) == 1


def wait_for_locked(outbox: Outbox, sessions: int) -> None:
    """Wait until so many sessions wait for another one's lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    ends = time.monotonic() + PATIENCE
    while True:
        with outbox.database.read.begin() as connection:
            if connection.execute(query).scalar_one() == sessions:
                return
        assert time.monotonic() < ends


def ended(outbox: Outbox) -> list[Claim]:
    """Return the items, all `unknown`, of a bulk that is not marked as done yet."""
    database = outbox.database
    outbox.send(people(3), "Hi")
    with database.write.begin() as connection:
        claims = ledger.claim(connection, database, ledger.running(connection, database), "late", 3, -1)
        claims = ledger.begin(connection, database, claims, "late", -1)
        ledger.sweep(connection, database)
    return claims


def finish(outbox: Outbox) -> None:
    with outbox.database.write.begin() as connection:
        ledger.settle(connection, outbox.database, (), [1])


@pytest.mark.parametrize("first", ["returns", "finishes"])
def test_an_item_comes_back_while_its_bulk_is_finished(outbox: Outbox, first: str) -> None:
    """Whichever of two workers commits first, the bulk runs at the end: neither sees what the other one does."""
    database = outbox.database
    claims = ended(outbox)
    finishing = threading.Thread(target=finish, args=(outbox,))
    with database.write.begin() as late:
        ledger.record(late, database, [back(claim) for claim in claims], "late")
        if first == "finishes":
            finishing.start()
            finishing.join(PATIENCE)
            assert outbox.progress(1).state == "done"
        ledger.settle(late, database, [1], ())
        if first == "returns":
            finishing.start()
            wait_for_locked(outbox, 1)
    finishing.join(PATIENCE)
    check_invariants(outbox)
    assert outbox.progress(1).state == "running"


def test_a_retry_while_the_bulk_is_finished(outbox: Outbox) -> None:
    """A person's retry and a worker that finishes the bulk meet: what is queued again keeps it running."""
    ended(outbox)
    with outbox.database.write.connect() as connection, connection.begin() as holding:
        connection.execute(text("SELECT * FROM outbox_item FOR UPDATE"))
        retrying = threading.Thread(target=outbox.retry, args=(1, "unknown"))
        retrying.start()
        wait_for_locked(outbox, 1)
        finishing = threading.Thread(target=finish, args=(outbox,))
        finishing.start()
        wait_for_locked(outbox, 2)
        holding.commit()
        retrying.join(PATIENCE)
        finishing.join(PATIENCE)
    check_invariants(outbox)
    assert (outbox.progress(1).state, outbox.progress(1).queued) == ("running", 3)


def test_migrations_and_tables_agree(outbox: Outbox) -> None:
    """What the migrations made on Postgres is what `tables.py` describes."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from miniapp.outbox.tables import metadata

    def ours(thing: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or not str(name).startswith("procrastinate_")

    with outbox.database.read.connect() as connection:
        options = {"version_table": "outbox_version", "include_object": ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_locks_are_taken_in_one_order(outbox: Outbox) -> None:
    """A worker that settles a bulk, with the gate locked, does not wait for one that waits for the gate.

    Postgres would end such a deadlock after a second, but not while its clock is set back.
    """
    database, number = outbox.database, outbox.send(people(1), "Hi").id
    with database.write.begin() as first:
        bulks = ledger.running(first, database)
        claims = ledger.begin(first, database, ledger.claim(first, database, bulks, "first", 1, 60.0), "first", 60.0)
        ledger.record(first, database, [back(claim) for claim in claims], "first")
        assert ledger.claim(first, database, bulks, "first", 1, 60.0)
        with database.write.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '10s'"))
            second.execute(text("SELECT id FROM outbox_gate FOR UPDATE"))
            assert ledger.settle(second, database, [number], []) == []
