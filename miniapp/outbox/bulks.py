"""What operators do with bulks: look at them, pause, resume, cancel, retry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from ..errors import Code, MiniAppError, NoBulkError
from . import delays, gate, ledger
from .database import Database
from .delays import Delay
from .tables import bulk, item
from .tables import gate as gate_table

UNTAKEN = 10.0
"""Seconds after which a message that may go out should be with a worker: one that runs looks for it every 2 s."""
STATES = ("queued", "leased", "sending", "sent", "refused", "unknown")


@dataclass(frozen=True, slots=True)
class Progress:
    """Describe the progress of a bulk: `state` is `running`, `paused`, `cancelled` or `done`.

    `total` is the number of recipients; `queued`, `leased`, `sending`, `sent`, `refused` and `unknown` count them by
    state. A cancelled bulk's waiting items are never sent. `policy` is `hold` or `resend`. `owner` is a JID or `""`.
    `note` says why a worker paused the bulk, else `""`. `created_at` and `done_at` are Unix time (s), `done_at` None
    until the end. `delay` says why nothing of the bulk goes out now; None if something does, or nothing is left.
    """

    id: int
    key: str | None
    owner: str
    policy: str
    state: str
    note: str
    total: int
    queued: int
    leased: int
    sending: int
    sent: int
    refused: int
    unknown: int
    created_at: float
    done_at: float | None
    delay: Delay | None

    @property
    def waiting(self) -> int:
        """The number of items without a final state."""
        return self.queued + self.leased + self.sending

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and `waiting`, for JSON."""
        return {**asdict(self), "waiting": self.waiting}


@dataclass(frozen=True, slots=True)
class Item:
    """Describe one recipient of a bulk.

    `state` is `queued`, `leased`, `sending`, `sent`, `refused` or `unknown`. `attempts` counts the calls made.
    `answer` is the last answer in OneChat's words, or `""`.
    """

    jid: str
    state: str
    attempts: int
    answer: str


_COLUMNS = (
    bulk.c.id,
    bulk.c.key,
    bulk.c.owner,
    bulk.c.policy,
    bulk.c.state,
    bulk.c.note,
    bulk.c.total,
    bulk.c.created_at,
    bulk.c.done_at,
)


def listing(database: Database, limit: int, rate: float) -> list[Progress]:
    """Return the latest bulks, up to `limit`, newest first. `rate` is the limit in messages a second; 0 is none."""
    with database.read.begin() as connection:
        rows = connection.execute(select(*_COLUMNS).order_by(bulk.c.id.desc()).limit(limit)).all()
        return _progresses(connection, database, rows, rate)


def left(database: Database, rate: float) -> list[Progress]:
    """Return the bulks that have something to send, paused ones too, oldest first."""
    unfinished = exists().where(item.c.bulk == bulk.c.id, item.c.state.in_(ledger.UNFINISHED))
    statement = select(*_COLUMNS).where(bulk.c.state.in_(("running", "paused")), unfinished).order_by(bulk.c.id)
    with database.read.begin() as connection:
        return _progresses(connection, database, connection.execute(statement).all(), rate)


def progress(database: Database, number: int, rate: float) -> Progress:
    """Return how far the bulk is. Raises `NoBulkError`."""
    with database.read.begin() as connection:
        rows = connection.execute(select(*_COLUMNS).where(bulk.c.id == number)).all()
        if not rows:
            raise _none(number)
        return _progresses(connection, database, rows, rate)[0]


def items(database: Database, number: int, states: tuple[str, ...] = STATES) -> Iterator[Item]:
    """Yield the bulk's items in `states`, in the order of its recipients."""
    statement = select(item.c.jid, item.c.state, item.c.attempts, item.c.answer).order_by(item.c.id)
    with database.read.begin() as connection:
        statement = statement.where(item.c.bulk == number, item.c.state.in_(states))
        rows = connection.execute(statement, execution_options={"yield_per": 1000})
        for row in rows:
            yield Item(*row)


def pause(database: Database, number: int) -> None:
    """Stop a bulk from sending more; what is on its way ends. Raises `NoBulkError`."""
    _change(database, number, ("running", "paused"), "paused")


def resume(database: Database, number: int) -> None:
    """Let a paused bulk go on, and a done one that has items to send. Raises `NoBulkError`."""
    with database.write.begin() as connection:
        ledger.reopen(connection, database, [number])
    _change(database, number, ("paused", "running"), "running")


def cancel(database: Database, number: int) -> None:
    """Stop a bulk for good; what is on its way ends. Raises `NoBulkError`."""
    _change(database, number, ("running", "paused", "cancelled"), "cancelled")


def retry(database: Database, number: int, states: tuple[str, ...], *, broadcasts: bool = False) -> int:
    """Queue the bulk's items in `states` (of `refused`, `unknown`) again. Returns how many.

    Broadcasts to a whole domain only with `broadcasts`. Raises `NoBulkError`.
    """
    if not set(states) <= {"refused", "unknown"}:
        raise MiniAppError("Only refused and unknown items can be tried again.", hint="Name these.", code=Code.ARGUMENT)
    with database.write.begin() as connection:
        state = connection.execute(
            select(bulk.c.state).where(bulk.c.id == number).with_for_update(key_share=True)
        ).scalar()
        if state is None:
            raise _none(number)
        if state == "cancelled":
            raise NoBulkError(f"Bulk {number} was cancelled.", hint="Send a new one.")
        again = update(item).where(item.c.bulk == number, item.c.state.in_(states))
        if not broadcasts:
            again = again.where(item.c.kind != "domain")
        values = {"state": "queued", "due": database.dialect.now, "unknown_attempts": 0, "at": None}
        count = connection.execute(again.values(**values)).rowcount
        ledger.reopen(connection, database, [number])
    return count


def _change(database: Database, number: int, before: tuple[str, ...], after: str) -> None:
    with database.write.begin() as connection:
        values = {"state": after, "note": ""}
        changed = connection.execute(
            update(bulk).where(bulk.c.id == number, bulk.c.state.in_(before)).values(**values)
        ).rowcount
        if changed:
            return
        state = connection.execute(select(bulk.c.state).where(bulk.c.id == number)).scalar()
    if state is None:
        raise _none(number)
    raise NoBulkError(f"Bulk {number} is {state} already.", hint="`miniapp outbox list` shows which are running.")


def _none(number: int) -> NoBulkError:
    return NoBulkError(f"There is no bulk {number}.", hint="`miniapp outbox list` shows those that there are.")


def _progresses(connection: Connection, database: Database, rows: Sequence[Any], rate: float) -> list[Progress]:
    gate_delay = gate.closed(connection, database, rate)
    found = []
    for row in rows:
        statement = select(item.c.state, func.count()).where(item.c.bulk == row.id).group_by(item.c.state)
        counts = {name: count for name, count in connection.execute(statement)}  # noqa: C416 # rows are no pairs to mypy
        counts = {state: counts.get(state, 0) for state in STATES}
        delay = _delay(connection, database, row, counts, gate_delay)
        found.append(Progress(**row._mapping, **counts, delay=delay))
    return found


def _delay(
    connection: Connection, database: Database, row: Any, counts: dict[str, int], gate_delay: Delay | None
) -> Delay | None:
    held = counts["leased"] + counts["sending"]
    if row.state not in ("running", "paused") or not (held or counts["queued"]):
        return None
    if row.state == "paused":
        return delays.paused(row.id, row.note)
    if gate_delay or held:
        return gate_delay
    now = database.dialect.now
    queued = select(func.min(item.c.due) - now).where(item.c.bulk == row.id, item.c.state == "queued")
    wait: float | None = connection.execute(queued).scalar_one()
    if wait is None:  # on Postgres, a worker may have taken the last one since they were counted
        return None
    if wait > 0:
        return delays.retry(row.id, wait)
    # Workers take one bulk after the other, so a lease on any item shows that one runs.
    opened = select(now - gate_table.c.opens_at).scalar_subquery()
    alive = select(exists().where(item.c.lease > now) | (opened < UNTAKEN))
    return None if wait > -UNTAKEN or connection.execute(alive).scalar_one() else delays.no_worker()
