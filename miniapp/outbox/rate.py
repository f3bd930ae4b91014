"""The gate that every worker asks before it sends: one rate limit, one circuit breaker, in one row of the database.

The row is a token bucket that holds a second's worth. After `BREAKER` calls in a row that did not reach the host it
shuts for a while; then one call goes through as a probe, and what comes of that opens it or shuts it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from .policy import Outcome, backoff
from .tables import Database, gate

BREAKER = 5
"""Failures in a row that mean the host is down: one or two are common, and each costs a `hold` bulk an item."""
PROBE_FIRST, PROBE_MAX = 0.5, 5.0
"""Seconds between probes of a host that is down: it is noticed within 5 s that it is back."""


class Gate:
    """`rate` is in messages a second, for all workers together; 0 is no limit. `probe_time`: when a probe has failed
    at the latest. `shut`: whether it was, when it was asked last.
    """

    def __init__(self, database: Database, rate: float, probe_time: float) -> None:
        self._rate = rate
        self._probe_time = probe_time
        self.shut = False
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
                opens_at = max(opens_at, row.now + (outcome.sign_wait or 0.0))
        if (failures, opens_at) != (row.failures, row.opens_at):
            connection.execute(update(gate).values(failures=failures, opens_at=opens_at))

    def take(self, connection: Connection, most: int) -> tuple[int, float]:
        """How many messages may be sent now, `most` at most; and if none, the seconds after which to ask again."""
        row = self._row(connection)
        self.shut = row.now < row.opens_at
        if self.shut:
            return 0, row.opens_at - row.now
        if row.failures >= BREAKER:
            # The probe; until it is over, the others find the gate shut.
            connection.execute(update(gate).values(opens_at=row.now + self._probe_time))
            return 1, 0.0
        if not self._rate:
            return most, 0.0
        full = max(1.0, self._rate)
        tokens = min(full, row.tokens + max(0.0, row.now - row.filled_at) * self._rate)
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
