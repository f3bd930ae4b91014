"""The queue to an XMPP server, and how far its archives have been read.

A message that is written here goes `queued → sending → settled`. `sending` is committed before the first byte leaves,
so only what is found as `sending` after a connection broke can have arrived or not: the server's archive is asked then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, update

from .records import MessageKind, Sender
from .tables import Database, PositionRow, StanzaRow

StanzaState = Literal["queued", "sending", "settled"]
QUEUED: StanzaState = "queued"
SENDING: StanzaState = "sending"
SETTLED: StanzaState = "settled"


def stanza_key(kind: MessageKind, sender: str, to: str, stanza_id: str, text: str) -> str:
    """Return what the copies of a message have in common: those of sender and recipient, live and in archives.

    It identifies messages of ours, whose IDs are random. Other clients count IDs from one in every session, or write
    none. XML makes one of all line ends. In a group the sender is known by a nickname only, so that is no part of it.
    """
    author = "" if kind == "group" else sender
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return hashlib.sha256("\0".join((kind, author, to, stanza_id, text)).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message that the server has yet to get. Of a broadcast, those up to the JID `upto` have it."""

    message_id: int
    kind: MessageKind
    sender: Sender
    to: str
    text: str
    at: float
    stanza_id: str
    state: StanzaState
    upto: str


@dataclass(frozen=True, slots=True)
class Position:
    """How far an archive has been read: to `archive_id` or, without one, from the time `since` on."""

    archive_id: str | None
    since: float


# What is done for every message, or few of them. That it is not settled stands in the very words of the index.
_WAITING = """
SELECT messages.id, kind, sender, sender_name, "to", text, at, stanza_id, state, upto
FROM stanzas JOIN messages ON messages.id = stanzas.message_id
WHERE state != 'settled' AND stanzas.message_id > ? AND sender NOT IN (SELECT value FROM json_each(?))
ORDER BY stanzas.message_id LIMIT ?
"""
_MARK = "UPDATE stanzas SET state = ? WHERE message_id = ?"


class Stanzas:
    """What is on its way to the server, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int, *, after: int = 0, without: Collection[str] = ()) -> list[Outgoing]:
        """Return the first `limit` unsettled messages after the ID `after`, without those of the senders `without`."""
        with self._database.driver() as c:
            found = c.execute(_WAITING, (after, json.dumps(list(without)), limit)).fetchall()
        return [
            Outgoing(id_, kind, Sender(by, name), to, text, at, stanza, state, upto)
            for id_, kind, by, name, to, text, at, stanza, state, upto in found
        ]

    def mark(self, message_ids: Collection[int], state: StanzaState) -> None:
        """Record that the messages are settled: the server has them, or refused them."""
        with self._database.driver() as c:
            c.executemany(_MARK, ((state, message_id) for message_id in message_ids))

    def advance(self, message_id: int, upto: str) -> None:
        """Everybody up to the JID `upto` has the broadcast."""
        with self._database.transaction() as t:
            t.execute(update(StanzaRow).where(StanzaRow.message_id == message_id).values(upto=upto, state=QUEUED))

    def begin(self, now: float, *, anew: bool = False) -> None:
        """Read archives from `now` on, unless they were read before; `anew` forgets that."""
        with self._database.transaction() as t:
            if anew:
                t.execute(delete(PositionRow))
            if t.get(PositionRow, "") is None:
                t.add(PositionRow(owner="", archive_id=None, since=now))

    def position(self, owner: str) -> Position:
        """Return how far the archive of `owner` has been read."""
        with self._database.transaction() as t:
            row = t.get(PositionRow, owner) or t.get_one(PositionRow, "")
            return Position(row.archive_id, row.since)

    def move(self, owner: str, archive_id: str) -> None:
        """Record that the archive of `owner` has been read up to `archive_id`."""
        with self._database.transaction() as t:
            since = t.get_one(PositionRow, "").since
            t.merge(PositionRow(owner=owner, archive_id=archive_id, since=since))
