"""Prefetch: items that are marked as `sending` before a thread is free for them."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import func, select

from miniapp.outbox import Outbox, worker
from miniapp.outbox.tables import item
from support.countinghost import SUCCESS, Stub
from support.ledgers import Make, drain, people

THREADS, QUICK, ALL = 4, 40, 300


@pytest.fixture(autouse=True)
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefetch window of minutes: whatever the machine's pace, all items are marked at once."""
    monkeypatch.setattr(worker, "PREFETCH", 300.0)


def marked(outbox: Outbox) -> int:
    with outbox.database.read.begin() as connection:
        return connection.execute(select(func.count()).where(item.c.state == "sending")).scalar_one()


def test_a_quick_host_is_given_more_than_there_are_threads(make: Make, host: Stub) -> None:
    """Once the host's pace is known, marked items wait in the worker. Each is sent once."""
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    counts = []

    def look(call: str, to: str) -> tuple[int, bytes, str]:
        counts.append(marked(outbox))
        return 200, SUCCESS, ""

    host.answer = look
    assert drain(outbox, bulk.id).sent == ALL
    assert max(counts) > 2 * THREADS
    assert host.count == len(host.accepted) == ALL


def test_a_prefetch_that_shrinks_marks_nothing_meanwhile(
    make: Make, host: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a host gets slow, more items are marked than would be marked now. The worker waits until they are fewer."""
    wide, narrow = 40, 5
    prefetch = [wide]
    monkeypatch.setattr(worker.Worker, "_prefetch", property(lambda _: prefetch[0]))
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    counts = []

    def look(call: str, to: str) -> tuple[int, bytes, str]:
        if len(host.calls) >= QUICK:
            prefetch[0] = narrow
        counts.append(marked(outbox))
        return 200, SUCCESS, ""

    host.answer = look
    assert drain(outbox, bulk.id).sent == ALL
    assert narrow + THREADS < max(counts) <= wide + THREADS


def test_a_host_that_asks_to_wait_gets_no_more(make: Make, host: Stub) -> None:
    """After a 429 the marked items that no thread has begun go back to the queue unsent."""
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    host.answer = lambda call, to: (200, SUCCESS, "") if len(host.calls) < QUICK else (429, b"", "Retry-After: 60\r\n")
    progress = drain(outbox, bulk.id)
    assert len(host.calls) <= QUICK + 2 * THREADS
    assert (progress.sent, progress.queued) == (QUICK, ALL - QUICK)


def test_stopping_sends_no_more(make: Make, host: Stub) -> None:
    """Stopping a worker waits for the calls under way, not for all marked items."""
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    stop = threading.Event()

    def answer(call: str, to: str) -> tuple[int, bytes, str]:
        if len(host.calls) >= QUICK:
            stop.set()
        return 200, SUCCESS, ""

    host.answer = answer
    outbox.work(stop)
    progress = outbox.progress(bulk.id)
    assert (progress.sent, progress.queued) == (host.count, ALL - host.count)
    assert host.count < ALL


def test_a_lease_outlives_the_call_also_if_the_host_gets_slow(
    make: Make, host: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that waited too long for a thread goes back unsent: another worker could lease it during the call."""
    monkeypatch.setattr(worker, "LEASE_MARGIN", 1.5)
    monkeypatch.setattr(worker, "HELD_MAX", 0.2)
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    left: list[float] = []

    def slow(call: str, to: str) -> tuple[int, bytes, str]:
        with outbox.database.read.begin() as connection:
            lease = connection.execute(select(item.c.lease).where(item.c.jid == to)).scalar_one()
        left.append(lease - time.time())
        if len(host.calls) < THREADS:  # a slow host: the lease of the items behind these is nearly over then
            time.sleep(max(0.0, lease - outbox.settings.deadline - time.time()))
        return 200, SUCCESS, ""

    host.answer = slow
    assert drain(outbox, bulk.id).sent == ALL
    assert min(left) > outbox.settings.deadline
