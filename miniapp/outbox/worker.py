"""The worker: one thread that owns the ledger, and `concurrency` threads that only call OneChat.

The worker works in turns. Each turn is one transaction: record the outcomes that came back, and mark the next items
as `sending`. While a turn commits, more outcomes gather for the next one. So the number of commits follows the disk's
speed, not the number of messages.

Sender threads would wait for commits where the host answers quickly. So the worker prefetches: it marks a few more
items than there are threads.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..onechat.client import OneChat
from . import ledger
from .clock import Clock, clamp, elapsed
from .database import Database
from .delays import Delay
from .gate import Gate
from .outcomes import Claim, Outcome, judge

log = logging.getLogger(__name__)

LEASE_MARGIN = 5.0
"""Seconds that a lease outlives the call's deadline: for the commits before and after it, and a busy machine."""
IDLE = 0.25
"""Seconds between looks at the ledger when there is nothing to do: other processes add bulks without telling us."""
SWEEP = 2.0
"""Seconds between sweeps: how long an item waits at most after its lease has expired."""
LEASES = 4
"""Items to lease per free slot: enough that most turns need no new lease, and few to come back after a crash."""
PREFETCH = 0.03
"""Seconds of work to mark as `sending` before a thread is free: about ten turns. A crash leaves these items unknown."""
HELD_MAX = 1.0
"""Seconds a marked item may wait for a thread. An older one goes back unsent, as its lease could expire in the call."""
LOGGED_PAUSE = 5.0
"""Seconds of a pause from which the log reports it: shorter ones are a host's ordinary rate limiting."""
RECENT = 32
"""Calls over which their duration is averaged: a few per thread. Nothing is prefetched on the word of the first few."""

OnFailed = Callable[[Outcome], None]
OnDone = Callable[[int], None]


class Worker:
    """Sends the ledger's items: at most `concurrency` at a time, and `rate` a second in all workers together.

    `on_failed` gets each outcome that ended `refused` or `unknown`, `on_done` the ID of each bulk that is done, after
    the commit. Only one `run` at a time per worker.
    """

    def __init__(
        self,
        database: Database,
        client: OneChat,
        *,
        concurrency: int,
        rate: float,
        on_failed: OnFailed = lambda _: None,
        on_done: OnDone = lambda _: None,
    ) -> None:
        self._database = database
        self._client = client
        self._concurrency = concurrency
        self._lease = client.settings.deadline + LEASE_MARGIN
        self._gate = Gate(database, rate, self._lease)
        self._clock = Clock(database)
        self._on_failed = on_failed
        self._on_done = on_done
        self._name = secrets.token_hex(8)
        self._marked: SimpleQueue[tuple[Claim, float] | None] = SimpleQueue()  # with the time of their turn; None: end
        self._answered: deque[tuple[Outcome, float]] = deque()  # with the seconds that the call took
        self._batch = 1  # outcomes to collect before the next turn
        self._wake = threading.Event()
        self._halt = False  # marked items that no thread has begun go back unsent
        self._call = 1.0  # seconds that a call takes, averaged; nothing is prefetched while this is long
        self._unrecorded: list[Outcome] = []
        self._leased: list[Claim] = []
        self._lost_track = False  # after a failure the ledger may hold leases of ours that are not in `_leased`
        self._on_way: dict[int, int] = {}  # item → bulk, of the items that are marked
        self._swept = 0.0
        self._logged: Delay | None = None  # the pause that the log has reported, until the gate is open
        self._connection: Connection | None = None  # kept: a checkout from the pool costs a round trip

    def wake(self) -> None:
        """Make an idle worker look at the ledger now. From any thread."""
        self._wake.set()

    def run(
        self, stop: threading.Event, *, only: int | None = None, seconds: float | None = None, drain: bool = False
    ) -> None:
        """Send until `stop` is set. Calls under way end and are recorded before this returns.

        `only` is the ID of the one bulk to send, `seconds` a time limit. With `drain`, return once nothing is due.
        """
        self._gate.is_closed = False  # an earlier run may have ended at a closed gate: ask again
        try:
            with self._senders(stop):
                self._drive(stop, only, None if seconds is None else time.monotonic() + seconds, drain)
        finally:
            self._disconnect()

    # --- the threads that send ---

    @contextmanager
    def _senders(self, stop: threading.Event) -> Iterator[None]:
        # Daemons: at its end the interpreter would wait for other threads before anything could stop them.
        threads = [
            threading.Thread(target=self._serve, args=(stop,), name="miniapp-outbox-send", daemon=True)
            for _ in range(self._concurrency)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for _ in threads:
                self._marked.put(None)
            for thread in threads:
                thread.join()

    def _serve(self, stop: threading.Event) -> None:
        while (marked := self._marked.get()) is not None:
            claim, turn = marked
            began = elapsed()
            if self._halt or stop.is_set() or began - turn > HELD_MAX:
                outcome = Outcome(claim, "queued", host=None)  # unsent
            else:
                outcome = self._send(claim)
            if outcome.host in ("down", "busy") or outcome.pause:
                self._halt = True  # until a turn has asked the gate what this means
            self._answered.append((outcome, elapsed() - began))
            if self._halt or len(self._answered) >= self._batch:
                self._wake.set()

    def _send(self, claim: Claim) -> Outcome:
        error: BaseException | None = None
        try:
            self._client.send(claim.recipient, claim.text)
        except Exception as caught:
            error = caught
        return judge(claim, error)

    # --- turns ---

    def _drive(self, stop: threading.Event, only: int | None, ends: float | None, drain: bool) -> None:
        wait, failed = 0.0, False
        while True:
            self._gather(wait)
            late = ends is not None and time.monotonic() >= ends
            closed = self._gate.is_closed and not (self._on_way or self._unrecorded)
            over = self._halt = stop.is_set() or late or (drain and closed)
            now = elapsed()
            try:
                batch, wait = self._turn(only, taking=not over, drain=drain)
                failed = False
                self._log_gate()
            except DBAPIError as error:
                # Outcomes are kept until the database is back.
                if not failed:
                    log.warning("The outbox's database failed (%s); trying again.", type(error.orig).__name__)
                batch, wait, failed = [], IDLE, True
                if over and not self._on_way:
                    return  # the leases expire
            for claim in batch:
                self._on_way[claim.id] = claim.bulk
                self._marked.put((claim, now))
            self._batch = max(1, len(self._on_way) - self._concurrency - self._prefetch // 2)
            if self._batch > 1:
                wait = min(wait, PREFETCH)
            if len(self._answered) >= self._batch:  # they came while `_batch` was larger
                self._wake.set()
            if batch and not over:
                self._lease_ahead(only, max(len(batch), self._concurrency))
            idle = not (self._on_way or self._unrecorded or self._leased)
            if idle and (over or (drain and wait)):
                return

    @property
    def _prefetch(self) -> int:
        """The number of items to mark beyond one per thread."""
        return int(self._concurrency * PREFETCH / self._call)

    def _gather(self, wait: float) -> None:
        """Take in the outcomes that came back, waiting up to `wait` seconds for a batch of them."""
        if wait:
            self._wake.wait(wait)
        self._wake.clear()
        while self._answered:
            outcome, seconds = self._answered.popleft()
            self._on_way.pop(outcome.claim.id, None)
            self._unrecorded.append(outcome)
            if outcome.host == "up":
                self._call += (seconds - self._call) / RECENT

    def _turn(self, only: int | None, *, taking: bool, drain: bool) -> tuple[list[Claim], float]:
        """Make one turn. Returns the items to send now, and the seconds to wait if nothing comes back meanwhile."""
        self._sweep(only, drain)
        free = max(0, self._concurrency + self._prefetch - len(self._on_way)) if taking else 0
        bulks: list[ledger.DueBulk] = []
        if free and not self._leased:
            bulks = self._running(only)
        needed = self._unrecorded or bulks or (free and self._leased) or (self._leased and not taking)
        if not (needed or self._lost_track):
            return [], IDLE
        outcomes, batch, done, wait = list(self._unrecorded), list[Claim](), list[int](), 0.0
        leased = list(self._leased)
        try:
            with self._writing() as connection:
                if self._lost_track:
                    ledger.release(connection, self._name)
                ledger.record(connection, self._database, outcomes, self._name)
                self._gate.note(connection, outcomes)
                if taking:
                    batch, wait = self._take(connection, bulks, leased, free)
                else:
                    ledger.release(connection, self._name)
                    leased = []
                seen = {b.id for b in bulks} | {outcome.claim.bulk for outcome in outcomes}
                ours = {*self._on_way.values(), *(claim.bulk for claim in (*leased, *batch))}
                returned = {outcome.claim.bulk for outcome in outcomes if outcome.state == "queued"}
                # Bulks of which we hold items can't be done.
                done = ledger.settle(connection, self._database, returned, seen - ours)
        except DBAPIError:
            # The commit may have succeeded or not, but nothing of the batch was sent.
            self._unrecorded += [Outcome(claim, "queued", host=None) for claim in batch]
            self._leased, self._lost_track = [], True
            raise
        self._lost_track = False
        self._unrecorded = self._unrecorded[len(outcomes) :]
        self._leased = leased
        self._notify(outcomes, done)
        if any(outcome.state == "queued" and not outcome.wait for outcome in outcomes):
            wait = 0.0  # these are due again, and `bulks` was read before
        return batch, wait

    def _take(
        self, connection: Connection, bulks: list[ledger.DueBulk], leased: list[Claim], free: int
    ) -> tuple[list[Claim], float]:
        """Take the items that may be sent now out of `leased`, after leasing more if there are none."""
        if not leased and bulks:
            limit = LEASES * max(free, self._concurrency)
            leased += ledger.claim(connection, self._database, bulks, self._name, limit, self._lease)
        wanted = min(free, len(leased))
        if not wanted:
            return [], IDLE
        allowed, wait = self._gate.take(connection, wanted)
        first = leased[:allowed]
        del leased[:allowed]
        batch = ledger.begin(connection, self._database, first, self._name, self._lease)
        if len(batch) < len(first):  # a bulk was paused, or leases expired: the rest may be wrong too
            ledger.release(connection, self._name)
            leased.clear()
        if len(batch) == free:
            return batch, SWEEP  # or until something comes back
        return batch, min(wait, IDLE) if wait else 0.0 if batch or leased or bulks else IDLE

    def _lease_ahead(self, only: int | None, turn: int) -> None:
        """Lease more if fewer than `turn` items are left, now, while the threads are busy."""
        if len(self._leased) >= turn:
            return
        limit, done = LEASES * turn - len(self._leased), list[int]()
        with suppress(DBAPIError):  # the next turn meets and logs the failure; leases that we lost expire
            bulks = self._running(only)
            if bulks:
                with self._writing() as connection:
                    claims = ledger.claim(connection, self._database, bulks, self._name, limit, self._lease)
                    ours = {*self._on_way.values(), *(claim.bulk for claim in (*self._leased, *claims))}
                    done = ledger.settle(connection, self._database, (), {b.id for b in bulks} - ours)
                self._leased += claims
        self._notify([], done)

    def _running(self, only: int | None) -> list[ledger.DueBulk]:
        with self._database.read.begin() as connection:
            return ledger.running(connection, self._database, only)

    def _sweep(self, only: int | None, drain: bool) -> None:
        if only is not None or time.monotonic() - self._swept < SWEEP:  # `cluster` has a thread for sweeps
            return
        if not (drain or self._clock.watched):
            return
        with self._writing() as connection:
            clamp(connection, self._database)
            count = ledger.sweep(connection, self._database)
        self._swept = time.monotonic()
        if count:
            log.warning("Took %d message(s) over from a worker that is gone.", count)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Begin a writing transaction. A jump of the clock makes it fail, as the database may."""
        if self._connection is None:
            self._connection = self._database.write.connect()
        try:
            with self._clock.writing(self._connection):
                yield self._connection
        except DBAPIError:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- telling others ---

    def _log_gate(self) -> None:
        """Log once that the gate has closed, with the reason, and once that it is open again."""
        delay, logged = self._gate.delay, self._logged
        if delay is None:
            if logged:
                log.warning("OneChat takes messages again.")
            self._logged = None
        elif delay.is_news(logged):
            if delay.reason == "host_busy" and (delay.until or 0.0) - time.time() < LOGGED_PAUSE:
                return
            log.warning("%s", delay.text)
            self._logged = delay

    def _notify(self, outcomes: list[Outcome], done: list[int]) -> None:
        for outcome in outcomes:
            if outcome.state in ("refused", "unknown"):
                _guarded(self._on_failed, outcome)
        for bulk in done:
            _guarded(self._on_done, bulk)


def _guarded(receiver: Callable[[Any], None], news: object) -> None:
    try:
        receiver(news)
    except Exception:  # a failing receiver must not stop the sending
        log.exception("A receiver of an outbox signal failed.")
