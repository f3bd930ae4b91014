"""Keep the ledger's time from jumping when the database's clock is set.

Leases, waits and the gate hold times of the ledger: the database's clock plus `skew`, a column of the gate. A worker
compares that time with a clock of its machine that nobody can set. If the two disagree, it changes `skew`, once for
all workers. So a clock that is set a day back or ahead neither stops the sending nor ends a lease.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select, update
from sqlalchemy.exc import OperationalError

from ..onechat.outcome import RETRY_AFTER_MAX
from .database import Database
from .outcomes import BACKOFF_MAX
from .tables import bulk, gate, item

log = logging.getLogger(__name__)

JUMP = 1.0
"""Seconds that the clocks may disagree by: NTP slews smaller errors instead of setting the clock."""
DRIFT = 0.001
"""Seconds a second that the clocks may drift apart: twice what NTP slews by."""
WATCH = 2.5
"""Seconds before a worker that starts may take items over. Until others correct a clock that was just set, all leases
seem to be over, or to have no end. They look every two seconds at least."""
LEASE_MAX = 310.0
"""Seconds of the longest lease: the longest `ONECHAT_DEADLINE`, and a worker's margin."""
SLACK = 5.0
"""Seconds that another worker's transaction may be later than ours."""
IN_TRANSACTION = 10.0
"""Seconds a transaction may wait for its worker on Postgres. A suspended worker must not keep the gate locked."""


def elapsed() -> float:
    """Return seconds that pass evenly, those of a machine's sleep included where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Look(NamedTuple):
    """One reading of the ledger's time `now`, taken between two readings of `elapsed`."""

    before: float
    now: float
    skew: float
    after: float


class ClockJumpError(Exception):
    """The clock jumped during a transaction."""


class Clock:
    """Correct the ledger's time where the database's clock jumped. Each thread needs an object of its own."""

    def __init__(self, database: Database, elapsed: Callable[[], float] = elapsed) -> None:
        self._elapsed = elapsed
        self._began = elapsed()
        self._last: Look | None = None
        """At the end of the last transaction that was committed."""
        self._steady = False
        columns: list[ColumnElement[Any]] = [gate.c.skew, database.dialect.now.label("now")]
        if not database.is_sqlite:  # rides along: a statement of its own would be one more round trip each turn
            limit = str(round(IN_TRANSACTION * 1000))
            columns.append(func.set_config("idle_in_transaction_session_timeout", limit, True))
        self._columns = select(*columns)

    @property
    def watched(self) -> bool:
        """Tell whether a jump would have been noticed by now, by this worker or another one."""
        return self._elapsed() - self._began >= WATCH

    @contextmanager
    def writing(self, connection: Connection) -> Iterator[None]:
        """Begin a transaction that writes right times.

        It is rolled back if the clock jumps before its end, with an `OperationalError`. The next one corrects the time.
        """
        if not self._steady:
            self._correct(connection)
        last = self._last
        with connection.begin():
            yield
            end = self._look(connection)
            self._steady = last is not None and last.skew == end.skew and not _jump(last, end)
            if not self._steady:
                raise OperationalError("", None, ClockJumpError("The clock jumped, or another worker corrected it."))
        self._last = end

    def _correct(self, connection: Connection) -> None:
        # A transaction of its own: others lock items before the gate, and Postgres may miss a deadlock after a jump.
        with connection.begin():
            # Another worker may just be correcting it: a statement after the lock sees that, the same one does not.
            connection.execute(select(gate.c.id).with_for_update())
            look = self._look(connection)
            if self._last is not None and look.skew == self._last.skew and (jump := _jump(self._last, look)):
                connection.execute(update(gate).values(skew=gate.c.skew - jump))
                log.warning("The clock of the outbox's database jumped by %+.1f s. The outbox keeps its pace.", jump)
                look = look._replace(now=look.now - jump, skew=look.skew - jump)
        self._last, self._steady = look, True

    def _look(self, connection: Connection) -> Look:
        before = self._elapsed()
        row = connection.execute(self._columns).one()
        return Look(before, row.now, row.skew, self._elapsed())


def _jump(first: Look, last: Look) -> float:
    """Return by how much the clock jumped between two looks: 0.0 if it did not."""
    passed = last.now - first.now
    # The process may have been suspended between any two readings.
    shortest, longest = last.before - first.after, last.after - first.before
    slack = JUMP + DRIFT * longest
    inside = shortest - slack <= passed <= longest + slack
    return 0.0 if inside else passed - min(max(passed, shortest), longest)


def clamp(connection: Connection, database: Database) -> None:
    """Bring back times that lie too far ahead: the clock was set back while no worker ran to correct it.

    An item is due, and the gate open, at once then. A lease stays as long as the longest that there is.
    """
    now = database.dialect.now
    unended = select(bulk.c.id).where(bulk.c.state.in_(("running", "paused"))).scalar_subquery()
    due = and_(item.c.bulk.in_(unended), item.c.state == "queued", item.c.due > now + BACKOFF_MAX + SLACK)
    held = and_(item.c.lease.isnot(None), item.c.lease > now + LEASE_MAX + SLACK)
    shut = gate.c.opens_at > now + RETRY_AFTER_MAX + SLACK
    statements = (
        update(item).where(due).values(due=now),
        update(item).where(held).values(lease=now + LEASE_MAX),
        update(gate).where(shut).values(opens_at=now),
    )
    if sum(connection.execute(statement).rowcount for statement in statements):
        log.warning("The clock was set back while no worker ran. What the outbox held back for long goes out now.")
