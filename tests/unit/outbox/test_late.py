"""Items that come back late, from a worker that was suspended: their bulk is not done, and is not forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import update

from miniapp.outbox import NoBulkError, Outbox, bulk_done, ledger, worker
from miniapp.outbox.outcomes import Claim
from miniapp.outbox.tables import bulk as bulk_table
from support.countinghost import SUCCESS, Stub
from support.ledgers import Make, back, check_invariants, drain, people

PATIENCE = 20.0  # seconds for what takes a moment


@pytest.fixture
def url(either_url: str) -> str:
    return either_url


def swept(outbox: Outbox, count: int = 3) -> tuple[int, list[Claim]]:
    """Return a `hold` bulk that is done, and its items, which a suspended worker still believes to hold."""
    bulk = outbox.send(people(count), "Hi").id
    database = outbox.database
    with database.write.begin() as connection:
        claims = ledger.claim(connection, database, ledger.running(connection, database), "late", count, -1.0)
        claims = ledger.begin(connection, database, claims, "late", -1.0)
    progress = drain(outbox, bulk)
    assert (progress.state, progress.unknown) == ("done", count)
    return bulk, claims


def come_back(outbox: Outbox, claims: list[Claim]) -> list[int]:
    """Return the IDs of the bulks that the late worker finds done when it gives `claims` back unsent."""
    with outbox.database.write.begin() as connection:
        ledger.record(connection, outbox.database, [back(claim) for claim in claims], "late")
        return ledger.settle(connection, outbox.database, {claim.bulk for claim in claims}, ())


def left_by_an_old_version(outbox: Outbox) -> int:
    """Return a bulk that is done with queued items, as they were left before bulks were reopened."""
    bulk = outbox.send(people(2), "Hi").id
    with outbox.database.write.begin() as connection:
        connection.execute(update(bulk_table).values(state="done", done_at=0))
    return bulk


def test_an_item_that_comes_back_reopens_its_bulk(outbox: Outbox, host: Stub) -> None:
    """Items that a late worker returns unsent are sent, and the bulk is done after that."""
    bulk, claims = swept(outbox)
    assert come_back(outbox, claims[:1]) == []
    progress = outbox.progress(bulk)
    assert (progress.state, progress.done_at, progress.queued, progress.unknown) == ("running", None, 1, 2)
    check_invariants(outbox)
    progress = drain(outbox, bulk)
    assert (progress.state, progress.sent, progress.unknown) == ("done", 1, 2)
    assert host.count == 1


def test_the_end_of_a_bulk_that_was_reopened_is_announced_again(outbox: Outbox) -> None:
    """`bulk_done` tells of each end, and with the counts of that end."""
    ends = []

    def on_done(sender: Outbox, bulk: object) -> None:
        ends.append((bulk.sent, bulk.unknown))  # type: ignore[attr-defined]

    with bulk_done.connected_to(on_done, outbox):
        bulk, claims = swept(outbox)
        come_back(outbox, claims)
        drain(outbox, bulk)
        drain(outbox, bulk)
    assert ends == [(0, 3), (3, 0)]


def test_a_bulk_that_runs_again_is_not_announced(outbox: Outbox) -> None:
    """Of two bulks that end together, a receiver lets the second run again: only its next end is told."""
    ends = []

    def on_done(sender: Outbox, bulk: object) -> None:
        ends.append((bulk.id, bulk.sent))  # type: ignore[attr-defined]
        if len(ends) == 1:
            outbox.retry(2, "unknown")

    database = outbox.database
    for _ in range(2):
        outbox.send(people(1), "Hi")
    with database.write.begin() as connection:
        claims = ledger.claim(connection, database, ledger.running(connection, database), "late", 2, -1.0)
        ledger.begin(connection, database, claims, "late", -1.0)
    with bulk_done.connected_to(on_done, outbox):
        drain(outbox, 1)
        assert ends == [(1, 0)]
        drain(outbox, 2)
    assert ends == [(1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("do", "state"), [(Outbox.cancel, "cancelled"), (Outbox.pause, "paused")], ids=["cancelled", "paused"]
)
def test_a_bulk_that_a_person_stopped_stays_so(
    outbox: Outbox, host: Stub, do: Callable[[Outbox, int], None], state: str
) -> None:
    """Items that come back late start neither a cancelled nor a paused bulk."""
    bulk, claims = swept(outbox)
    come_back(outbox, claims[:1])
    do(outbox, bulk)
    come_back(outbox, claims[1:])
    progress = drain(outbox, bulk)
    assert (progress.state, progress.queued) == (state, 3)
    assert host.calls == []


def test_an_item_that_another_worker_has_does_not_come_back(outbox: Outbox) -> None:
    """What was sent after a person's retry stays sent, and its bulk done."""
    bulk, claims = swept(outbox)
    outbox.retry(bulk, "unknown")
    drain(outbox, bulk)
    come_back(outbox, claims)
    progress = outbox.progress(bulk)
    assert (progress.state, progress.sent) == ("done", 3)


def test_resume_mends_a_done_bulk_with_items_to_send(outbox: Outbox) -> None:
    """A ledger that an older version left so is mended by `resume`; a bulk that is truly done is not touched."""
    bulk = left_by_an_old_version(outbox)
    outbox.resume(bulk)
    assert drain(outbox, bulk).sent == 2
    with pytest.raises(NoBulkError, match="done already"):
        outbox.resume(bulk)


def test_retry_mends_a_done_bulk_with_items_to_send(outbox: Outbox) -> None:
    """`retry` mends such a ledger too, also if it has nothing to queue again."""
    bulk = left_by_an_old_version(outbox)
    assert outbox.retry(bulk, "unknown") == 0
    assert drain(outbox, bulk).sent == 2


def test_retry_of_nothing_leaves_a_bulk_done(outbox: Outbox) -> None:
    """A bulk without failed items is not announced as running."""
    bulk = outbox.send(people(2), "Hi").id
    drain(outbox, bulk)
    assert outbox.retry(bulk, "refused", "unknown") == 0
    assert outbox.progress(bulk).state == "done"


def test_a_worker_that_is_late_finishes_what_others_gave_up(
    make: Make, host: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker stands still past its leases, another ends the bulk: what was not sent yet goes out once, after all."""
    count, quick, threads = 60, 20, 4
    late, other = make(outbox_concurrency=threads), make()
    monkeypatch.setattr(worker, "PREFETCH", 300.0)  # all items are marked at once
    monkeypatch.setattr(worker, "LEASE_MARGIN", 0.3 - late.settings.deadline)
    monkeypatch.setattr(worker, "HELD_MAX", 0.2)
    bulk = late.send(people(count), "Hi").id
    still, on = threading.Event(), threading.Event()

    def answer(call: str, to: str) -> tuple[int, bytes, str]:
        if len(host.calls) >= quick:
            still.set()
            assert on.wait(PATIENCE)
        check_invariants(other)
        return 200, SUCCESS, ""

    host.answer = answer
    standing = threading.Thread(target=drain, args=(late, bulk))
    standing.start()
    assert still.wait(PATIENCE)
    ends = time.monotonic() + PATIENCE
    while drain(other, bulk).state != "done":
        assert time.monotonic() < ends
    assert other.progress(bulk).unknown > threads  # the calls under way, and the prefetched items
    on.set()
    standing.join(PATIENCE)
    progress = drain(other, bulk)
    assert (progress.state, progress.sent) == ("done", count)
    assert host.count == len(host.accepted) == count
