"""The worker: one thread that owns the ledger, a few that only POST.

Each turn is one transaction: what came back is recorded, what goes out next is marked as `sending`. While it commits,
further answers gather for the next turn, so the number of commits follows the disk, not the number of messages.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .. import jid
from ..client import OneChat
from . import ledger
from .policy import Claim, Outcome, judge
from .rate import Gate
from .tables import Database

log = logging.getLogger(__name__)

LEASE_MARGIN = 5.0
"""Seconds that a lease outlives the call's deadline: for the commits before and after it, and a busy machine."""
IDLE = 0.25
"""Seconds between looks at the ledger when there is nothing to do: other processes put bulks there unannounced."""
SWEEP = 2.0
"""Seconds between sweeps: how long an item waits at most after its lease is over."""
AHEAD = 4
"""Leased items per sending thread: enough that most turns need no new claim, few to come back after a crash."""

Failed = Callable[[Outcome], None]
Done = Callable[[int], None]


class Worker:
    """Sends what the ledger holds, at most `concurrency` messages at a time and `rate` a second in all workers.

    `failed` and `done` are told of items and bulks after the commit that makes it so. Of one worker only one `run`
    at a time.
    """

    def __init__(
        self,
        database: Database,
        client: OneChat,
        *,
        concurrency: int,
        rate: float,
        failed: Failed = lambda _: None,
        done: Done = lambda _: None,
    ) -> None:
        self._database = database
        self._client = client
        self._concurrency = concurrency
        self._lease = client.settings.deadline + LEASE_MARGIN
        self._gate = Gate(database, rate, self._lease)
        self._failed = failed
        self._done = done
        self._name = secrets.token_hex(8)
        self._events: SimpleQueue[Outcome | None] = SimpleQueue()
        self._unrecorded: list[Outcome] = []
        self._leased: list[Claim] = []
        self._on_way: dict[int, int] = {}  # item → bulk, of what the threads have
        self._swept = 0.0

    def wake(self) -> None:
        """Makes an idle worker look at the ledger now."""
        self._events.put(None)

    def run(
        self, stop: threading.Event, *, only: int | None = None, seconds: float | None = None, drain: bool = False
    ) -> None:
        """Sends until `stop` is set: what is on its way ends and is recorded, then this returns.

        `only` is the one bulk to see to. `seconds` is a limit of time; with `drain` it returns once nothing is due.
        """
        ends = None if seconds is None else time.monotonic() + seconds
        with ThreadPoolExecutor(self._concurrency, "miniapp-outbox") as pool:
            wait, failed = 0.0, False
            while True:
                self._gather(wait)
                over = stop.is_set() or (ends is not None and time.monotonic() >= ends)
                try:
                    batch, wait = self._turn(only, taking=not over)
                    failed = False
                except DBAPIError as error:
                    # The database is away. What came back is kept until it can be written.
                    if not failed:
                        log.warning("The outbox's database failed (%s); trying again.", type(error.orig).__name__)
                    batch, wait, failed = [], IDLE, True
                    if over and not self._on_way:
                        return  # the leases end by themselves
                for claim in batch:
                    self._on_way[claim.id] = claim.bulk
                    try:
                        pool.submit(self._send, claim)
                    except RuntimeError:  # the interpreter ends: this was surely not sent, and no more will be
                        stop.set()
                        self._events.put(Outcome(claim, "queued", sign=None))
                idle = not (self._on_way or self._unrecorded or self._leased)
                if idle and (over or (drain and wait)):
                    return

    def _send(self, claim: Claim) -> None:
        error: BaseException | None = None
        try:
            if claim.is_broadcast:
                self._client.mass_broadcast(claim.text, claim.jid)
            elif jid.parse(claim.jid).is_group:
                self._client.send_group_message(claim.jid, claim.text)
            else:
                self._client.send_message(claim.jid, claim.text)
        except Exception as caught:
            error = caught
        self._events.put(judge(claim, error))

    def _gather(self, wait: float) -> None:
        """Takes in all that came back; waits for the first of it, `wait` seconds at most."""
        try:
            event = self._events.get(timeout=wait) if wait else self._events.get_nowait()
            while True:
                if event is not None:
                    self._unrecorded.append(event)
                    self._on_way.pop(event.claim.id, None)
                event = self._events.get_nowait()
        except Empty:
            pass

    def _turn(self, only: int | None, *, taking: bool) -> tuple[list[Claim], float]:
        """One turn at the ledger: what to send now, and how long to wait if nothing comes back meanwhile."""
        self._sweep()
        free = self._concurrency - len(self._on_way) if taking else 0
        bulks: list[ledger.Running] = []
        if free > len(self._leased):
            with self._database.read.begin() as connection:
                bulks = ledger.running(connection, self._database, only)
        if not (self._unrecorded or bulks or (free and self._leased) or (self._leased and not taking)):
            return [], IDLE
        outcomes, batch, done, wait = list(self._unrecorded), list[Claim](), list[int](), 0.0
        leased = list(self._leased)
        try:
            with self._database.write.begin() as connection:
                ledger.record(connection, self._database, outcomes, self._name)
                self._gate.note(connection, outcomes)
                if taking:
                    batch, wait = self._take(connection, bulks, leased, free)
                else:
                    ledger.release(connection, self._name)
                    leased = []
                seen = {b.id for b in bulks} | {outcome.claim.bulk for outcome in outcomes}
                ours = {*self._on_way.values(), *(claim.bulk for claim in (*leased, *batch))}
                done = ledger.finish(connection, self._database, seen - ours)  # those have something left for certain
        except DBAPIError:
            # Whether that was committed is unknown; that none of the batch was sent is not.
            self._unrecorded += [Outcome(claim, "queued", sign=None) for claim in batch]
            self._leased = []
            raise
        self._unrecorded = self._unrecorded[len(outcomes) :]
        self._leased = leased
        self._tell(outcomes, done)
        return batch, wait

    def _take(
        self, connection: Connection, bulks: list[ledger.Running], leased: list[Claim], free: int
    ) -> tuple[list[Claim], float]:
        """Takes what may be sent now out of `leased`, which is filled up before."""
        if len(leased) < free and bulks:
            most = self._concurrency * AHEAD - len(leased)
            leased += ledger.claim(connection, self._database, bulks, self._name, most, self._lease)
        wanted = min(free, len(leased))
        if not wanted:
            return [], IDLE
        allowed, wait = self._gate.take(connection, wanted)
        first = leased[:allowed]
        del leased[:allowed]
        batch = ledger.begin(connection, self._database, first, self._name, self._lease)
        if len(batch) < len(first):  # a bulk was paused, or we were too slow: what we hold is not what we think
            ledger.release(connection, self._name)
            leased.clear()
        if len(batch) == free:
            return batch, SWEEP  # or until something comes back
        return batch, min(wait, IDLE) if wait else 0.0 if leased or bulks else IDLE

    def _sweep(self) -> None:
        if time.monotonic() - self._swept < SWEEP:
            return
        with self._database.write.begin() as connection:
            count = ledger.sweep(connection, self._database)
        self._swept = time.monotonic()
        if count:
            log.warning("Took %d message(s) over from a worker that is gone.", count)

    def _tell(self, outcomes: list[Outcome], done: list[int]) -> None:
        for outcome in outcomes:
            if outcome.state in ("refused", "unknown"):
                self._guarded(lambda outcome=outcome: self._failed(outcome))  # type: ignore[misc]
        for number in done:
            self._guarded(lambda number=number: self._done(number))  # type: ignore[misc]

    @staticmethod
    def _guarded(tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception:  # whoever listens must not stop the sending
            log.exception("A receiver of an outbox signal failed.")
