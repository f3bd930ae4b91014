"""What workers do to items: claim, begin, record, sweep, finish. Each function is a step inside of a transaction.

    queued ──claim──▶ leased ──begin──▶ sending ──record──▶ sent | refused | unknown
       ▲                │ lease over       │ lease over            │
       └────────────────┴──────────────────┴── resend; surely not sent; retry

An item is `sending` from the commit before its POST. So one whose worker died while it was `leased` was surely not
sent and can be taken again, and of one that was `sending` nobody knows: the bulk's policy decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, Connection, Exists, and_, bindparam, case, delete, exists, func, select, update

from .policy import DOUBTS_MAX, Claim, Outcome
from .tables import Database, bulk, item

UNFINISHED = ("queued", "leased", "sending")
GONE = "The worker ended before OneChat's answer was recorded."


@dataclass(frozen=True, slots=True)
class Running:
    """A bulk that has items to send."""

    id: int
    text: str
    policy: str


def running(connection: Connection, database: Database, only: int | None = None) -> list[Running]:
    """The bulks that have an item to be sent now, or are at their end without being marked so."""
    due = exists().where(item.c.bulk == bulk.c.id, item.c.state == "queued", item.c.due <= database.now())
    statement = select(bulk.c.id, bulk.c.text, bulk.c.policy).where(bulk.c.state == "running", due | ~_unfinished())
    if only is not None:
        statement = statement.where(bulk.c.id == only)
    return [Running(*row) for row in connection.execute(statement.order_by(bulk.c.id))]


def claim(
    connection: Connection, database: Database, bulks: Sequence[Running], worker: str, most: int, lease: float
) -> list[Claim]:
    """Leases up to `most` items for `worker`, of each bulk the same share, so that a short one need not wait."""
    claims: list[Claim] = []
    for left, source in zip(range(len(bulks), 0, -1), bulks, strict=True):
        share = -(-(most - len(claims)) // left)
        if share <= 0:
            break
        free = (
            select(item.c.id)
            .where(item.c.bulk == source.id, item.c.state == "queued", item.c.due <= database.now())
            .order_by(item.c.due, item.c.id)
            .limit(share)
            .with_for_update(skip_locked=True)  # SQLite has no such thing, and one writer at a time
            .cte()  # which is run once, where a plan may run a subquery again and lock more
        )
        statement = (
            update(item)
            .where(item.c.id.in_(select(free.c.id)))
            .values(state="leased", worker=worker, lease=database.now() + lease)
            .returning(item.c.id, item.c.jid, item.c.attempts, item.c.doubts)
        )
        claims += [
            Claim(row.id, source.id, row.jid, source.text, source.policy, row.attempts + 1, row.doubts)
            for row in sorted(connection.execute(statement))
        ]
    return claims


def begin(
    connection: Connection, database: Database, claims: Sequence[Claim], worker: str, lease: float
) -> list[Claim]:
    """Marks `claims` as `sending`; once that is committed they may be sent. Returns those that are still ours.

    The others' lease had ended, or their bulk was paused or cancelled.
    """
    if not claims:
        return []
    statement = (
        update(item)
        .where(
            item.c.id.in_([claim.id for claim in claims]),
            item.c.state == "leased",
            item.c.worker == worker,
            item.c.bulk.in_(select(bulk.c.id).where(bulk.c.state == "running").scalar_subquery()),
        )
        .values(state="sending", attempts=item.c.attempts + 1, lease=database.now() + lease)
        .returning(item.c.id)
    )
    ours = set(connection.execute(statement).scalars())
    return [claim for claim in claims if claim.id in ours]


def record(connection: Connection, database: Database, outcomes: Sequence[Outcome], worker: str) -> None:
    """Writes what came of attempts, also of those whose lease has ended meanwhile, unless another worker has them."""
    if not outcomes:
        return
    statement = (
        update(item)
        .where(item.c.id == bindparam("_id"), item.c.worker == worker, item.c.attempts == bindparam("_attempts"))
        .where(item.c.at.is_(None) | (item.c.state == "unknown"))
        .values(
            state=bindparam("_state"),
            answer=bindparam("_answer"),
            due=database.now() + bindparam("_wait"),
            doubts=bindparam("_doubts"),
            lease=None,
            at=case((bindparam("_final", type_=Boolean), database.now()), else_=None),
        )
    )
    rows = [
        {
            "_id": outcome.claim.id,
            "_attempts": outcome.claim.attempts,
            "_state": outcome.state,
            "_answer": outcome.answer,
            "_wait": outcome.wait,
            "_doubts": outcome.claim.doubts + outcome.doubt,
            "_final": outcome.state != "queued",
        }
        for outcome in outcomes
    ]
    connection.execute(statement, rows)
    for number, why in {outcome.claim.bulk: outcome.pause for outcome in outcomes if outcome.pause}.items():
        connection.execute(
            update(bulk).where(bulk.c.id == number, bulk.c.state == "running").values(state="paused", note=why)
        )


def release(connection: Connection, worker: str) -> None:
    """Gives back what `worker` has leased and not begun."""
    connection.execute(
        update(item)
        .where(item.c.lease.isnot(None), item.c.state == "leased", item.c.worker == worker)
        .values(state="queued", lease=None)
    )


def sweep(connection: Connection, database: Database) -> int:
    """Takes items from workers that are gone, by their leases; how many."""
    over = item.c.lease < database.now()
    leased = update(item).where(over, item.c.state == "leased").values(state="queued", lease=None)
    resent = select(bulk.c.id).where(bulk.c.policy == "resend").scalar_subquery()
    again = and_(item.c.bulk.in_(resent), item.c.jid.contains("@"), item.c.doubts + 1 < DOUBTS_MAX)
    sending = (
        update(item)
        .where(over, item.c.state == "sending")
        .values(
            state=case((again, "queued"), else_="unknown"),
            lease=None,
            doubts=item.c.doubts + 1,
            answer=GONE,
            at=case((again, None), else_=database.now()),
        )
    )
    return connection.execute(leased).rowcount + connection.execute(sending).rowcount


def finish(connection: Connection, database: Database, bulks: Iterable[int]) -> list[int]:
    """Marks those of `bulks` as done that have nothing left to send; which ones."""
    statement = (
        update(bulk)
        .where(bulk.c.id.in_(list(bulks)), bulk.c.state == "running", ~_unfinished())
        .values(state="done", done_at=database.now())
        .returning(bulk.c.id)
    )
    return sorted(connection.execute(statement).scalars())


def forget(connection: Connection, database: Database, before: float) -> int:
    """Deletes the bulks that were done or cancelled more than `before` seconds ago, with their items; how many."""
    ended = bulk.c.state.in_(("done", "cancelled"))
    old = func.coalesce(bulk.c.done_at, bulk.c.created_at) < database.now() - before
    return connection.execute(delete(bulk).where(ended, old)).rowcount


def _unfinished() -> Exists:
    return exists().where(item.c.bulk == bulk.c.id, item.c.state.in_(UNFINISHED))
