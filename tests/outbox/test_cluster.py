"""The ledger on Postgres: rows and jobs in one transaction, workers that share, sweeps, time by the server's clock."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest
from countinghost import Stub
from ledgers import Make, drain, people
from postgres import Postgres
from sqlalchemy import text, update

from miniapp.errors import JIDError
from miniapp.outbox import KeyTakenError, Outbox, cluster, ledger
from miniapp.outbox.tables import item as item_table

PATIENCE = 30.0  # seconds for what takes one or two


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture
def url(server: Postgres) -> str:
    """Takes the place of SQLite's, for the fixtures of `conftest.py`; an empty database each time."""
    server.empty()
    return server.url


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
    assert jobs(outbox) == 3 + cluster.JOBS_MAX


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
