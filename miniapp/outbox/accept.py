"""Accepting a bulk: check and dedupe the recipients, and commit them with the bulk in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError

from .. import contract
from ..errors import Code, JIDError, KeyTakenError, MessageError, MiniAppError
from ..jid import Recipient
from .database import Database
from .tables import bulk

Policy = Literal["hold", "resend"]
POLICIES = ("hold", "resend")
BATCH = 5000
"""Recipients per statement: enough that statements cost little, and a megabyte at most in memory."""
KEY_MAX = 255
"""Characters of a key: as the column has it."""

_STAGE = {
    "sqlite": "INSERT OR IGNORE INTO outbox_staged (n, kind, jid) VALUES (:n, :kind, :jid)",
    "postgresql": "INSERT INTO outbox_staged (n, kind, jid)"
    " SELECT * FROM unnest(CAST(:n AS int[]), CAST(:kind AS text[]), CAST(:jid AS text[])) ON CONFLICT DO NOTHING",
}

_FILL = (
    "INSERT INTO outbox_item (bulk, kind, jid, state, due, worker, attempts, unknown_attempts, answer)"
    " SELECT :bulk, kind, jid, 'queued', :due, '', 0, 0, '' FROM outbox_staged ORDER BY n"
)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Describe an accepted bulk: its ID, its key or None, and the number of its recipients without duplicates.

    `new` is False if the same bulk was accepted before under this key.
    """

    id: int
    key: str | None
    total: int
    new: bool


def accept(
    database: Database, recipients: Iterable[str], message: str, *, key: str | None, policy: Policy, owner: str
) -> Bulk:
    """Put a bulk into the ledger. It is on the disk when this returns.

    Raises `JIDError` (which tells the recipient's position), `MessageError`, `KeyTakenError`, and `MiniAppError` with
    the code `argument`; nothing is sent then.
    """
    _check(message, key, policy)
    # Recipients may come slowly. On SQLite this transaction begins to write only after the last, so others can write.
    # The temporary table is the connection's own, and on disk if it grows.
    with database.read.connect() as connection:
        try:
            with connection.begin():
                _stage(connection, recipients)
                digest, total = _digest(connection, message, policy)
                values = {
                    "digest": digest,
                    "text": message,
                    "policy": policy,
                    "owner": owner,
                    "total": total,
                    "note": "",
                }
                state = "running" if total else "done"
                now = database.dialect.now
                statement = insert(bulk).values(**values, key=key, state=state, created_at=database.dialect.clock)
                number = connection.execute(statement.returning(bulk.c.id)).scalar_one()
                connection.execute(text(_FILL), {"bulk": number, "due": connection.execute(select(now)).scalar_one()})
                connection.execute(text("DROP TABLE outbox_staged"))
                _wake(connection, database, number, total)
            return Bulk(number, key, total, new=True)
        except IntegrityError:  # the key is there: committed before, or just now by another process
            pass
    return _same(database, key, digest)


def _check(message: str, key: str | None, policy: str) -> None:
    if fault := contract.message_fault(message):
        raise MessageError(f"The message {fault}.", hint=f"Send 1 to {contract.MESSAGE_MAX_BYTES} bytes of text.")
    if policy not in POLICIES:
        raise MiniAppError(
            "The policy is none of hold, resend.",
            hint="hold leaves an unknown outcome to a person; resend repeats such a send.",
            code=Code.ARGUMENT,
        )
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= KEY_MAX and key.isprintable()):
        raise MiniAppError(
            f"The key is not 1 to {KEY_MAX} printable characters.", hint="Take a shorter one.", code=Code.ARGUMENT
        )


def _parsed(recipients: Iterable[str]) -> Iterator[Recipient]:
    for position, address in enumerate([recipients] if isinstance(recipients, str) else recipients, 1):
        try:
            yield Recipient.parse(address)
        except JIDError as error:
            raise JIDError(f"Recipient {position}: {error.message}", hint=error.hint) from None


def _stage(connection: Connection, recipients: Iterable[str]) -> None:
    connection.execute(text("CREATE TEMPORARY TABLE outbox_staged (jid TEXT PRIMARY KEY, kind TEXT, n INTEGER)"))
    statement = text(_STAGE[connection.dialect.name])
    numbered = enumerate(_parsed(recipients))
    while batch := list(islice(numbered, BATCH)):
        parameters: Any
        if connection.dialect.name == "sqlite":
            parameters = [{"n": n, "kind": one.kind, "jid": one.jid} for n, one in batch]
        else:
            parameters = {
                "n": [n for n, _ in batch],
                "kind": [one.kind for _, one in batch],
                "jid": [one.jid for _, one in batch],
            }
        connection.execute(statement, parameters)


def _digest(connection: Connection, message: str, policy: str) -> tuple[str, int]:
    """Return a digest of the bulk that ignores the recipients' order, as sets have none, and their number."""
    total, count = 0, 0
    rows = connection.execute(text("SELECT jid FROM outbox_staged"), execution_options={"yield_per": BATCH})
    for address in rows.scalars():
        total += int.from_bytes(hashlib.sha256(address.encode()).digest())
        count += 1
    whole = "\0".join((policy, str(count), str(total % 2**256), message))
    return hashlib.sha256(whole.encode()).hexdigest(), count


def _wake(connection: Connection, database: Database, number: int, total: int) -> None:
    if not database.is_sqlite and total:
        from . import jobs

        jobs.defer(connection, number, total)


def _same(database: Database, key: str | None, content: str) -> Bulk:
    what = select(bulk.c.id, bulk.c.digest.label("content"), bulk.c.total)
    with database.read.connect() as connection:
        row = connection.execute(what.where(bulk.c.key == key)).one()
    if row.content != content:
        raise KeyTakenError(
            f"The key belongs to bulk {row.id}, which has another text, policy or other recipients.",
            hint="Take another key for another send.",
        )
    return Bulk(row.id, key, row.total, new=False)
