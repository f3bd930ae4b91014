"""What workers do to items: claim, begin, record, sweep, settle. Each function is a step of the caller's transaction.

    queued ──claim──▶ leased ──begin──▶ sending ──record──▶ sent | refused | unknown
       ▲                │ lease over       │ lease over            │
       └────────────────┴──────────────────┴── resend; certainly not sent; retry

An item is `sending` from the commit before its POST. So if a worker dies, its `leased` items were certainly not sent
and can be leased again. The outcome of its `sending` items is unknown: the bulk's policy decides.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Exists,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    update,
)

from ..jid import Recipient
from .database import Database
from .outcomes import UNKNOWN_LIMIT, Claim, Outcome
from .tables import Dialect, bulk, item

UNFINISHED = ("queued", "leased", "sending")
GONE = "The worker ended before OneChat's answer was recorded."


@dataclass(frozen=True, slots=True)
class DueBulk:
    """A bulk that has items to send."""

    id: int
    text: str
    policy: str


def running(connection: Connection, database: Database, only: int | None = None) -> list[DueBulk]:
    """Return the bulks that have an item to send now, or are finished and not marked as done."""
    rows = connection.execute(_running(database.dialect))
    return [DueBulk(*row) for row in rows if only in (None, row.id)]


def claim(
    connection: Connection, database: Database, bulks: Sequence[DueBulk], worker: str, limit: int, lease: float
) -> list[Claim]:
    """Lease up to `limit` items for `worker` for `lease` seconds: an equal share of each bulk, for short ones."""
    claims: list[Claim] = []
    for left, source in zip(range(len(bulks), 0, -1), bulks, strict=True):
        share = -(-(limit - len(claims)) // left)
        if share <= 0:
            break
        values = {"_bulk": source.id, "_share": share, "_worker": worker, "_lease": lease}
        claims += [
            Claim(
                row.id,
                source.id,
                Recipient(row.kind, row.jid),
                source.text,
                source.policy,
                row.attempts + 1,
                row.unknown_attempts,
            )
            for row in sorted(connection.execute(_claim(database.dialect), values).all(), key=attrgetter("id"))
        ]
    return claims


def begin(
    connection: Connection, database: Database, claims: Sequence[Claim], worker: str, lease: float
) -> list[Claim]:
    """Mark `claims` as `sending`. Returns the claims that may be sent once that is committed.

    The leases of the others have expired, or their bulk was paused or cancelled.
    """
    if not claims:
        return []
    values = {"_ids": [claim.id for claim in claims], "_worker": worker, "_lease": lease}
    ours = set(connection.execute(_begin(database.dialect), values).scalars().all())
    return [claim for claim in claims if claim.id in ours]


def record(connection: Connection, database: Database, outcomes: Sequence[Outcome], worker: str) -> None:
    """Record outcomes. Late ones count unless another worker has claimed the item."""
    if not outcomes:
        return
    plain: dict[int, list[int]] = {}
    rows = []
    for outcome in outcomes:
        claim = outcome.claim
        if outcome.state == "sent" and not outcome.answer:
            plain.setdefault(claim.attempts, []).append(claim.id)
            continue
        rows.append(
            {
                "_id": claim.id,
                "_worker": worker,
                "_attempts": claim.attempts,
                "_state": outcome.state,
                "_answer": outcome.answer,
                "_wait": outcome.wait,
                "_unknown_attempts": claim.unknown_attempts + outcome.is_unknown,
                "_final": outcome.state != "queued",
            }
        )
    for attempts, numbers in plain.items():  # nearly all outcomes: one statement for all of them costs half
        connection.execute(_sent(database.dialect), {"_ids": numbers, "_worker": worker, "_attempts": attempts})
    if rows:
        connection.execute(_record(database.dialect), rows)
    for number, why in {outcome.claim.bulk: outcome.pause for outcome in outcomes if outcome.pause}.items():
        connection.execute(
            update(bulk).where(bulk.c.id == number, bulk.c.state == "running").values(state="paused", note=why)
        )


def release(connection: Connection, worker: str) -> None:
    """Give back the items that `worker` has leased and not begun."""
    connection.execute(
        update(item)
        .where(item.c.lease.isnot(None), item.c.state == "leased", item.c.worker == worker)
        .values(state="queued", lease=None)
    )


def sweep(connection: Connection, database: Database) -> int:
    """Take items with expired leases from their workers. Returns how many."""
    # A locked item is being recorded just now. To wait for it could deadlock.
    held = item.alias()
    over = item.c.id.in_(select(held.c.id).where(held.c.lease < database.dialect.now).with_for_update(skip_locked=True))
    leased = update(item).where(over, item.c.state == "leased").values(state="queued", lease=None)
    resent = select(bulk.c.id).where(bulk.c.policy == "resend").scalar_subquery()
    again = and_(item.c.bulk.in_(resent), item.c.kind != "domain", item.c.unknown_attempts + 1 < UNKNOWN_LIMIT)
    sending = (
        update(item)
        .where(over, item.c.state == "sending")
        .values(
            state=case((again, "queued"), else_="unknown"),
            lease=None,
            unknown_attempts=item.c.unknown_attempts + 1,
            answer=GONE,
            at=case((again, None), else_=database.dialect.clock),
        )
    )
    return connection.execute(leased).rowcount + connection.execute(sending).rowcount


def settle(connection: Connection, database: Database, returned: Collection[int], ended: Collection[int]) -> list[int]:
    """Make the states of bulks agree with their items', and return the IDs of those that are done now.

    A bulk in `returned` has items that went back to the queue: it runs again if it was done. A bulk in `ended` is done
    if it has nothing left to send. A transaction locks the gate before the bulks, if it needs both.
    """
    bulks = set(returned)
    if ended:
        bulks.update(connection.execute(_ended(database.dialect), {"_ids": list(ended)}).scalars())
    if not bulks:
        return []
    reopen(connection, database, bulks)
    return sorted(connection.execute(_finish(database.dialect), {"_ids": list(bulks)}).scalars())


def reopen(connection: Connection, database: Database, bulks: Collection[int]) -> None:
    """Let those of `bulks` run again that are done but have items to send. They stay locked until the commit."""
    values = {"_ids": list(bulks)}
    # Another worker may be about to mark one as done. It is seen by a statement after the lock, not by the same one.
    connection.execute(_locked(database.dialect), values)
    connection.execute(_reopen(database.dialect), values)


def forget(connection: Connection, database: Database, before: float) -> int:
    """Delete bulks that were done or cancelled more than `before` seconds ago, with their items. Return how many."""
    ended = bulk.c.state.in_(("done", "cancelled"))
    old = func.coalesce(bulk.c.done_at, bulk.c.created_at) < database.dialect.clock - before
    return connection.execute(delete(bulk).where(ended, old)).rowcount


# --- the statements of every turn, cached: SQLAlchemy takes longer to build one than the database to run it ---


def _unfinished() -> Exists:
    return exists().where(item.c.bulk == bulk.c.id, item.c.state.in_(UNFINISHED))


@functools.cache
def _running(dialect: Dialect) -> Select[Any]:
    due = exists().where(item.c.bulk == bulk.c.id, item.c.state == "queued", item.c.due <= dialect.now)
    columns = select(bulk.c.id, bulk.c.text, bulk.c.policy)
    return columns.where(bulk.c.state == "running", due | ~_unfinished()).order_by(bulk.c.id)


@functools.cache
def _claim(dialect: Dialect) -> Update:
    free = (
        select(item.c.id)
        .where(item.c.bulk == bindparam("_bulk"), item.c.state == "queued", item.c.due <= dialect.now)
        .order_by(item.c.due, item.c.id)
        .limit(bindparam("_share"))
        .with_for_update(skip_locked=True)  # SQLite ignores it: it has one writer at a time
        .cte()  # runs once; a plan may run a subquery twice and lock more rows
    )
    return (
        update(item)
        .where(item.c.id.in_(select(free.c.id)))
        .values(state="leased", worker=bindparam("_worker"), lease=dialect.now + bindparam("_lease"))
        .returning(item.c.id, item.c.kind, item.c.jid, item.c.attempts, item.c.unknown_attempts)
    )


@functools.cache
def _begin(dialect: Dialect) -> Update:
    return (
        update(item)
        .where(
            dialect.among(item.c.id, "_ids"),
            item.c.state == "leased",
            item.c.worker == bindparam("_worker"),
            item.c.bulk.in_(select(bulk.c.id).where(bulk.c.state == "running").scalar_subquery()),
        )
        .values(state="sending", attempts=item.c.attempts + 1, lease=dialect.now + bindparam("_lease"))
        .returning(item.c.id)
    )


def _held() -> ColumnElement[bool]:
    """True if the row still belongs to this attempt and has no final state other than `unknown`."""
    mine = and_(item.c.worker == bindparam("_worker"), item.c.attempts == bindparam("_attempts"))
    return and_(mine, item.c.at.is_(None) | (item.c.state == "unknown"))


@functools.cache
def _sent(dialect: Dialect) -> Update:
    ids = dialect.among(item.c.id, "_ids")
    return (
        update(item).where(ids, _held()).values(state="sent", answer="", due=dialect.now, lease=None, at=dialect.clock)
    )


@functools.cache
def _record(dialect: Dialect) -> Update:
    return (
        update(item)
        .where(item.c.id == bindparam("_id"), _held())
        .values(
            state=bindparam("_state"),
            answer=bindparam("_answer"),
            due=dialect.now + bindparam("_wait"),
            unknown_attempts=bindparam("_unknown_attempts"),
            lease=None,
            at=case((bindparam("_final", type_=Boolean), dialect.clock), else_=None),
        )
    )


@functools.cache
def _ended(dialect: Dialect) -> Select[Any]:
    return select(bulk.c.id).where(dialect.among(bulk.c.id, "_ids"), bulk.c.state == "running", ~_unfinished())


@functools.cache
def _locked(dialect: Dialect) -> Select[Any]:
    # On Postgres FOR NO KEY UPDATE: an item that is written twice in a transaction holds a share of its bulk's key, and
    # that transaction may be waiting for the gate.
    return select(bulk.c.id).where(dialect.among(bulk.c.id, "_ids")).order_by(bulk.c.id).with_for_update(key_share=True)


@functools.cache
def _reopen(dialect: Dialect) -> Update:
    ids = dialect.among(bulk.c.id, "_ids")
    return update(bulk).where(ids, bulk.c.state == "done", _unfinished()).values(state="running", done_at=None)


@functools.cache
def _finish(dialect: Dialect) -> Update:
    return (
        update(bulk)
        .where(dialect.among(bulk.c.id, "_ids"), bulk.c.state == "running", ~_unfinished())
        .values(state="done", done_at=dialect.clock)
        .returning(bulk.c.id)
    )
