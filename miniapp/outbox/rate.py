"""The gate that every worker asks before it sends: one rate limit, one circuit breaker, in one row of the database.

The row is a token bucket that holds a second's worth. After `BREAKER` calls in a row that did not reach the host it
shuts for a while; then one call goes through as a probe, and what comes of that opens it or shuts it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from . import delays
from .delays import Delay
from .policy import Outcome, backoff
from .tables import Database, gate

BREAKER = 5
"""Failures in a row that mean the host is down: one or two are common, and each costs a `hold` bulk an item."""
PROBE_FIRST, PROBE_MAX = 0.5, 5.0
"""Seconds between probes of a host that is down: it is noticed within 5 s that it is back."""
UNPROBED = 10.0
"""Seconds after a probe was due from which on no worker seems to run: one that runs probes within 2 s."""
LIMIT_SHOWN = 1.0
"""Seconds to the next message from which on the rate limit counts as a delay. At 1 a second or more it never does."""


def closed(connection: Connection, database: Database, rate: float) -> Delay | None:
    """Return why no worker may send now, if so: the host asked to wait, can't be reached, or `rate` is used up."""
    row = connection.execute(select(gate, database.kind.now.label("now"))).one()
    delay = _delay(row)
    if delay is not None:
        return delay if row.now < row.opens_at + UNPROBED else None
    wait = (1 - _tokens(row, rate)) / rate if rate else 0.0
    return delays.limited(rate, wait) if wait > LIMIT_SHOWN else None


def open_now(connection: Connection, database: Database) -> Delay | None:
    """Open the gate, and return what had closed it. For a host that could not be reached, one call goes first."""
    row = connection.execute(select(gate, database.kind.now.label("now")).with_for_update()).one()
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
    """`rate` is in messages a second, for all workers together; 0 is no limit. `probe_time`: when a probe has failed
    at the latest. `shut`: whether it was, when it was asked last; `delay`: why, also while a probe is under way.
    """

    def __init__(self, database: Database, rate: float, probe_time: float) -> None:
        self._rate = rate
        self._probe_time = probe_time
        self.shut = False
        self.delay: Delay | None = None
        self._well = False  # at the last look: no failures, and open
        self._columns = select(gate, database.kind.now.label("now"))

    def note(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Takes in what `outcomes` tell about the host."""
        signs = {outcome.sign for outcome in outcomes} - {None}
        if not signs or (self._well and signs == {"up"}):
            return  # nothing new
        row = self._row(connection)
        failures, opens_at = row.failures, row.opens_at
        for outcome in outcomes:
            if outcome.sign == "up":
                failures, opens_at = 0, (opens_at if failures < BREAKER else 0.0)
            elif outcome.sign == "down":
                failures += 1
                if failures >= BREAKER:
                    wait = backoff(failures - BREAKER + 1, first=PROBE_FIRST, most=PROBE_MAX)
                    opens_at = max(opens_at if failures == BREAKER else 0.0, row.now + wait)
            elif outcome.sign == "busy":
                failures = 0  # it answered, so it is not down: what closes the gate is its wish
                opens_at = max(opens_at, row.now + (outcome.sign_wait or 0.0))
        if (failures, opens_at) != (row.failures, row.opens_at):
            connection.execute(update(gate).values(failures=failures, opens_at=opens_at))

    def take(self, connection: Connection, most: int) -> tuple[int, float]:
        """How many messages may be sent now, `most` at most; and if none, the seconds after which to ask again."""
        row = self._row(connection)
        self.shut = row.now < row.opens_at
        self.delay = _delay(row)
        if self.shut:
            return 0, row.opens_at - row.now
        if row.failures >= BREAKER:
            # The probe; until it is over, the others find the gate shut.
            connection.execute(update(gate).values(opens_at=row.now + self._probe_time))
            return 1, 0.0
        if not self._rate:
            return most, 0.0
        tokens = _tokens(row, self._rate)
        taken = min(most, int(tokens))
        connection.execute(update(gate).values(tokens=tokens - taken, filled_at=row.now))
        return taken, 0.0 if taken else (1 - tokens) / self._rate

    def _row(self, connection: Connection) -> Row[Any]:
        # With neither limit nor trouble nothing is written, and nobody has to wait for anybody.
        row = connection.execute(self._columns).one()
        if self._rate or row.failures or row.opens_at > row.now:
            row = connection.execute(self._columns.with_for_update()).one()
        self._well = not row.failures and row.opens_at <= row.now
        return row
