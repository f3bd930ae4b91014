"""Helpers for the tests of the outbox."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from sqlalchemy import ColumnElement, Float, literal_column, text

from miniapp.outbox import Outbox, Progress
from miniapp.outbox.outcomes import Claim, Outcome
from miniapp.outbox.tables import Dialect

Make = Callable[..., Outbox]
DAY = 86400.0

RULES = {
    "a done bulk has an item to send": (
        "SELECT count(*) FROM outbox_bulk JOIN outbox_item ON bulk = outbox_bulk.id"
        " WHERE outbox_bulk.state = 'done' AND outbox_item.state IN ('queued', 'leased', 'sending')"
    ),
    "an item has a lease and is not held, or the reverse": (
        "SELECT count(*) FROM outbox_item WHERE (lease IS NOT NULL) <> (state IN ('leased', 'sending'))"
    ),
    "a bulk has lost an item": (
        "SELECT count(*) FROM outbox_bulk b WHERE total <> (SELECT count(*) FROM outbox_item WHERE bulk = b.id)"
    ),
}


def people(count: int) -> list[str]:
    return [f"{6580000000 + n}@onechat.net" for n in range(count)]


def drain(outbox: Outbox, bulk: int) -> Progress:
    """Send until nothing is due."""
    outbox.work(Event(), drain=True)
    return outbox.progress(bulk)


def check_invariants(outbox: Outbox) -> None:
    """Assert the ledger's invariants, which hold after every commit."""
    with outbox.database.read.begin() as connection:
        broken = {rule: connection.execute(text(query)).scalar_one() for rule, query in RULES.items()}
    assert not any(broken.values()), broken


def back(claim: Claim) -> Outcome:
    """Return the outcome of an item that comes back unsent."""
    return Outcome(claim, "queued", host=None)


class Settable:
    """Make the clock of a ledger's database settable. Use it before a worker is made.

    Other outboxes on the same ledger read the same clock after `share`.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        with outbox.database.write.begin() as connection:
            connection.execute(text("CREATE TABLE test_clock AS SELECT CAST(0 AS float8) AS ahead"))
        self.share(outbox)

    @staticmethod
    def share(outbox: Outbox) -> None:
        dialect = outbox.database.dialect
        ahead: ColumnElement[float] = literal_column("(SELECT ahead FROM test_clock)", Float(53))
        outbox.database.dialect = Dialect(dialect.clock + ahead, dialect.among)

    def jump(self, seconds: float) -> None:
        """Move the clock by so many seconds, ahead or back."""
        with self._outbox.database.write.begin() as connection:
            connection.execute(text("UPDATE test_clock SET ahead = ahead + :by"), {"by": seconds})
