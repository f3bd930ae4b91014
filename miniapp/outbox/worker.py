"""The worker: one thread that owns the ledger, and `Senders` that only POST.

Each turn is one transaction: what came back is recorded, what goes out next is marked as `sending`. While it commits,
further answers gather for the next turn, so the number of commits follows the disk, not the number of messages. Where
the host is quick, threads would spend their time waiting for commits: so a few more are marked than there are threads,
namely what goes out during the next `TURNS` turns.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .. import jid
from ..client import OneChat
from . import ledger
from .clock import Clock, clamp, elapsed
from .delays import Delay
from .policy import Claim, Outcome, judge
from .rate import Gate
from .senders import Senders
from .tables import Database

log = logging.getLogger(__name__)

LEASE_MARGIN = 5.0
"""Seconds that a lease outlives the call's deadline: for the commits before and after it, and a busy machine."""
IDLE = 0.25
"""Seconds between looks at the ledger when there is nothing to do: other processes put bulks there unannounced."""
SWEEP = 2.0
"""Seconds between sweeps: how long an item waits at most after its lease is over."""
AHEAD = 4
"""Leased items for each that may be sent: enough that most turns need no new claim, few to come back after a crash."""
TURNS = 4
"""Turns for which items are marked ahead: while one is under way, until the next begins, and to spare."""
HEADWAY_MIN, HEADWAY_MAX = 0.02, 0.08
"""Seconds for which they are. Beside threads that wait for their host a turn takes 2 ms, and it is the least: enough to
share turns, and if the host takes 50 ms, a crash leaves 3 items in doubt more than the 8 that are on their way. Where
a host takes 1 or 2 ms, threads keep the interpreter busy, and a turn takes 10 to 20 ms."""
HELD_MAX = 1.0
"""Seconds from an item's turn to its call: the rest of `LEASE_MARGIN` is for a busy machine. If a host gets slow, what
was marked ahead would else be sent when its lease is over, and another worker has it."""
TOLD_MIN = 5.0
"""Seconds of a pause from which on the log tells of it: shorter ones are how a host slows us down, and soon over."""
RECENT = 32
"""Calls and turns over which the time of one is taken: a few for each thread, and a change is soon noticed. What is
known after the first few calls is not used at once: workers that are killed again and again left 15 times more in
doubt, all that they had marked ahead."""

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
        self._clock = Clock(database)
        self._failed = failed
        self._done = done
        self._name = secrets.token_hex(8)
        self._senders = Senders[tuple[Claim, float]](concurrency)  # each claim with the time of its turn
        self._came: deque[tuple[Outcome, float]] = deque()  # with the seconds that the call took
        self._enough = 1  # as many are worth a turn
        self._wake = threading.Event()
        self._halt = False  # what no thread has begun is to come back as it is
        self._call = 1.0  # seconds that a call takes, of late: until we know, nothing is marked ahead
        self._spell = 0.0  # seconds that a turn takes, of late
        self._unrecorded: list[Outcome] = []
        self._leased: list[Claim] = []
        self._astray = False  # after a failure, the ledger may hold leases of ours that we no longer know of
        self._on_way: dict[int, int] = {}  # item → bulk, of what the threads have
        self._swept = 0.0
        self._told: Delay | None = None  # what the log has said of the gate, until it is open
        self._connection: Connection | None = None  # kept: to take one out of the pool is a round trip of its own

    def wake(self) -> None:
        """Makes an idle worker look at the ledger now."""
        self._wake.set()

    def run(
        self, stop: threading.Event, *, only: int | None = None, seconds: float | None = None, drain: bool = False
    ) -> None:
        """Sends until `stop` is set: what is on its way ends and is recorded, then this returns.

        `only` is the one bulk to see to. `seconds` is a limit of time; with `drain` it returns once nothing is due.
        """
        self._gate.shut = False  # an earlier run may have ended at a shut gate: ask again
        try:
            with self._senders.sending(partial(self._serve, stop)):
                self._drive(stop, only, None if seconds is None else time.monotonic() + seconds, drain)
        finally:
            self._disconnect()

    def _drive(self, stop: threading.Event, only: int | None, ends: float | None, drain: bool) -> None:
        wait, failed = 0.0, False
        while True:
            self._gather(wait)
            late = ends is not None and time.monotonic() >= ends
            shut = self._gate.shut and not (self._on_way or self._unrecorded)
            over = self._halt = stop.is_set() or late or (drain and shut)
            now = elapsed()
            try:
                batch, wait = self._turn(only, taking=not over, drain=drain)
                failed = False
                self._report()
            except DBAPIError as error:
                # The database is away. What came back is kept until it can be written.
                if not failed:
                    log.warning("The outbox's database failed (%s); trying again.", type(error.orig).__name__)
                batch, wait, failed = [], IDLE, True
                if over and not self._on_way:
                    return  # the leases end by themselves
            for claim in batch:
                self._on_way[claim.id] = claim.bulk
                self._senders.put((claim, now))
            self._senders.look()
            wait = min(wait, self._senders.patience)
            self._enough = max(1, len(self._on_way) - self._senders.count - self._headway // 2)
            if self._enough > 1:
                wait = min(wait, self._ahead)
            if len(self._came) >= self._enough:  # they came while it was more
                self._wake.set()
            if batch and not over:
                self._stock(only, max(len(batch), self._concurrency))
            idle = not (self._on_way or self._unrecorded or self._leased)
            if idle and (over or (drain and wait)):
                return

    def _report(self) -> None:
        """Log that the gate has closed, and why, once; and that it is open again."""
        delay, told = self._gate.delay, self._told
        if delay is None:
            if told:
                log.warning("OneChat takes messages again.")
            self._told = None
        elif delay.is_news(told):
            if delay.reason == "host_busy" and (delay.until or 0.0) - time.time() < TOLD_MIN:
                return
            log.warning("%s", delay.text)
            self._told = delay

    def _serve(self, stop: threading.Event, begun: tuple[Claim, float]) -> None:
        claim, turn = begun
        began = elapsed()
        back = self._halt or stop.is_set() or began - turn > HELD_MAX  # as it is: surely not sent
        outcome = Outcome(claim, "queued", sign=None) if back else self._send(claim)
        self._back(outcome, elapsed() - began)

    def _send(self, claim: Claim) -> Outcome:
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
        return judge(claim, error)

    def _back(self, outcome: Outcome, seconds: float) -> None:
        if outcome.sign in ("down", "busy") or outcome.pause:
            self._halt = True  # until the ledger has been asked what this means
        self._came.append((outcome, seconds))
        if self._halt or len(self._came) >= self._enough:
            self._wake.set()

    @property
    def _ahead(self) -> float:
        """Seconds for which items are marked ahead."""
        return max(HEADWAY_MIN, min(TURNS * self._spell, HEADWAY_MAX))

    @property
    def _headway(self) -> int:
        """How many more than there are threads may be marked."""
        return int(self._senders.count * self._ahead / self._call)

    def _gather(self, wait: float) -> None:
        """Takes in all that came back; waits for enough of it, `wait` seconds at most."""
        if wait:
            self._wake.wait(wait)
        self._wake.clear()
        while self._came:
            outcome, seconds = self._came.popleft()
            self._on_way.pop(outcome.claim.id, None)
            self._unrecorded.append(outcome)
            if outcome.sign == "up":
                self._call += (seconds - self._call) / RECENT

    def _turn(self, only: int | None, *, taking: bool, drain: bool) -> tuple[list[Claim], float]:
        """One turn at the ledger: what to send now, and how long to wait if nothing comes back meanwhile."""
        self._sweep(only, drain)
        began = time.monotonic()
        free = max(0, self._senders.count + self._headway - len(self._on_way)) if taking else 0
        bulks: list[ledger.Running] = []
        if free and not self._leased:
            bulks = self._running(only)
        needed = self._unrecorded or bulks or (free and self._leased) or (self._leased and not taking)
        if not (needed or self._astray):
            return [], IDLE
        outcomes, batch, done, wait = list(self._unrecorded), list[Claim](), list[int](), 0.0
        leased = list(self._leased)
        try:
            with self._writing() as connection:
                if self._astray:
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
                # Ours have something left for certain.
                done = ledger.settle(connection, self._database, returned, seen - ours)
        except DBAPIError:
            # Whether that was committed is unknown; that none of the batch was sent is not.
            self._unrecorded += [Outcome(claim, "queued", sign=None) for claim in batch]
            self._leased, self._astray = [], True
            raise
        self._astray = False
        self._spell += (time.monotonic() - began - self._spell) / RECENT
        self._unrecorded = self._unrecorded[len(outcomes) :]
        self._leased = leased
        self._tell(outcomes, done)
        if any(outcome.state == "queued" and not outcome.wait for outcome in outcomes):
            wait = 0.0  # they are due again, which `bulks` was too early to know
        return batch, wait

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Begin a transaction that writes. A jump of the clock fails it, as the database may."""
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

    def _take(
        self, connection: Connection, bulks: list[ledger.Running], leased: list[Claim], free: int
    ) -> tuple[list[Claim], float]:
        """Takes what may be sent now out of `leased`, which is filled up before."""
        if not leased and bulks:
            most = AHEAD * max(free, self._concurrency)
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
        return batch, min(wait, IDLE) if wait else 0.0 if batch or leased or bulks else IDLE

    def _stock(self, only: int | None, turn: int) -> None:
        """Leases more, if less is left than for the next `turn`: now, while the threads have something to send."""
        if len(self._leased) >= turn:
            return
        most, done = AHEAD * turn - len(self._leased), list[int]()
        with suppress(DBAPIError):  # the next turn finds out, and tells; leases that we don't know of end by themselves
            bulks = self._running(only)
            if bulks:
                with self._writing() as connection:
                    claims = ledger.claim(connection, self._database, bulks, self._name, most, self._lease)
                    ours = {*self._on_way.values(), *(claim.bulk for claim in (*self._leased, *claims))}
                    done = ledger.settle(connection, self._database, (), {b.id for b in bulks} - ours)
                self._leased += claims
        self._tell([], done)

    def _running(self, only: int | None) -> list[ledger.Running]:
        with self._database.read.begin() as connection:
            return ledger.running(connection, self._database, only)

    def _sweep(self, only: int | None, drain: bool) -> None:
        if only is not None or time.monotonic() - self._swept < SWEEP:  # `cluster` has a thread for this
            return
        if not (drain or self._clock.watched):
            return
        with self._writing() as connection:
            clamp(connection, self._database)
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
