"""The gate that every worker asks before sending: a rate limit and a circuit breaker in one row of the database.

The row is a token bucket that holds a second's worth. After `BREAKER` calls in a row that did not reach the host, the
gate closes for a while. Then one call goes through as a probe: its outcome opens the gate or closes it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from . import delays
from .database import Database
from .delays import Delay
from .outcomes import Outcome, backoff
from .tables import gate

BREAKER = 5
"""Failures in a row that mean the host is down: one or two are common, and each costs a `hold` bulk an item."""
PROBE_FIRST, PROBE_MAX = 0.5, 5.0
"""Seconds between probes of a host that is down: workers notice within 5 s that it is back."""
UNPROBED = 10.0
"""Seconds after a probe was due from which no worker seems to run: a running one probes within 2 s."""
LIMIT_SHOWN = 1.0
"""Seconds to the next message from which the rate limit counts as a delay. At 1 a second or more it never does."""


def closed(connection: Connection, database: Database, rate: float) -> Delay | None:
    """Return why no worker may send now, if so: the host asked to wait, can't be reached, or `rate` is used up."""
    row = connection.execute(select(gate, database.dialect.now.label("now"))).one()
    delay = _delay(row)
    if delay is not None:
        return delay if row.now < row.opens_at + UNPROBED else None
    wait = (1 - _tokens(row, rate)) / rate if rate else 0.0
    return delays.limited(rate, wait) if wait > LIMIT_SHOWN else None


def open_now(connection: Connection, database: Database) -> Delay | None:
    """Open the gate, and return what had closed it. For a host that could not be reached, one call goes first."""
    row = connection.execute(select(gate, database.dialect.now.label("now")).with_for_update()).one()
    delay = _delay(row)
    if row.opens_at > row.now:
        connection.execute(update(gate).values(opens_at=row.now))
    return delay


def _delay(row: Row[Any]) -> Delay | None:
    wait = max(0.0, row.opens_at - row.now)
    if row.failures >= BREAKER:
        return delays.unreachable(row.failures, wait)
    return delays.busy(wait) if wait else None


def _tokens(row: Row[Any], rate: float) -> float:
    """Return how many messages the rate limit allows now."""
    tokens: float = row.tokens + max(0.0, row.now - row.filled_at) * rate
    return min(max(1.0, rate), tokens)


class Gate:
    """One worker's view of the gate.

    `rate` is the limit of all workers together in messages a second; 0 is none. `probe_seconds` is how long a probe
    takes at most. `is_closed` and `delay` are from the last `take`: `delay` is set during a probe too.
    """

    def __init__(self, database: Database, rate: float, probe_seconds: float) -> None:
        self._rate = rate
        self._probe_seconds = probe_seconds
        self.is_closed = False
        self.delay: Delay | None = None
        self._healthy = False  # at the last look: open, and no failures
        self._columns = select(gate, database.dialect.now.label("now"))

    def note(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Record what `outcomes` say about the host."""
        hosts = {outcome.host for outcome in outcomes} - {None}
        if not hosts or (self._healthy and hosts == {"up"}):
            return  # nothing new
        row = self._row(connection)
        failures, opens_at = row.failures, row.opens_at
        for outcome in outcomes:
            if outcome.host == "up":
                failures, opens_at = 0, (opens_at if failures < BREAKER else 0.0)
            elif outcome.host == "down":
                failures += 1
                if failures >= BREAKER:
                    wait = backoff(failures - BREAKER + 1, first=PROBE_FIRST, limit=PROBE_MAX)
                    opens_at = max(opens_at if failures == BREAKER else 0.0, row.now + wait)
            elif outcome.host == "busy":
                failures = 0  # the host answered, so it is not down
                opens_at = max(opens_at, row.now + (outcome.host_wait or 0.0))
        if (failures, opens_at) != (row.failures, row.opens_at):
            connection.execute(update(gate).values(failures=failures, opens_at=opens_at))

    def take(self, connection: Connection, limit: int) -> tuple[int, float]:
        """Return how many messages may be sent now, up to `limit`; and if none, the seconds until the next question."""
        row = self._row(connection)
        self.is_closed = row.now < row.opens_at
        self.delay = _delay(row)
        if self.is_closed:
            return 0, row.opens_at - row.now
        if row.failures >= BREAKER:
            # The probe. Until it is over, the others find the gate closed.
            connection.execute(update(gate).values(opens_at=row.now + self._probe_seconds))
            return 1, 0.0
        if not self._rate:
            return limit, 0.0
        tokens = _tokens(row, self._rate)
        taken = min(limit, int(tokens))
        connection.execute(update(gate).values(tokens=tokens - taken, filled_at=row.now))
        return taken, 0.0 if taken else (1 - tokens) / self._rate

    def _row(self, connection: Connection) -> Row[Any]:
        # Without a rate limit or failures nothing is written, so no worker waits for another's lock.
        row = connection.execute(self._columns).one()
        if self._rate or row.failures or row.opens_at > row.now:
            row = connection.execute(self._columns.with_for_update()).one()
        self._healthy = not row.failures and row.opens_at <= row.now
        return row
