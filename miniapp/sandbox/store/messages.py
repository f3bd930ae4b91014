"""Groups, messages and who has read what: what the phones show, whatever network carries it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, delete, func, select
from sqlalchemy.orm import Session as Transaction
from sqlalchemy.orm import aliased

from ... import contract
from .avatar import avatar
from .records import Delivered, Forbidden, Group, Message, MessageKind, NotFound, Refusal, Sender, Sent, Thread, moment
from .stanzas import QUEUED, stanza_key
from .tables import (
    Database,
    DeliveryRow,
    GroupRow,
    HeardRow,
    MemberRow,
    MessageRow,
    ReadRow,
    StanzaRow,
    UserRow,
    driver_of,
)
from .users import matching, no_user, user_row

Carried = tuple[Message, Iterable[Delivered]]
"""A message as its sender sees it, and everybody whom it reached."""
PAGE = 1000  # users whom a broadcast reached, in memory at once


# What is done for every message; the tables are those of tables.py.
_HAS_USER = "SELECT 1 FROM users WHERE jid = ?"
_ADD_MESSAGE = """
INSERT INTO messages (kind, sender, sender_name, app_id, "to", text, at) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_ADD_DELIVERY = "INSERT INTO deliveries (message_id, jid, thread) VALUES (?, ?, ?)"
_ADD_DELIVERIES = "INSERT INTO deliveries (message_id, jid, thread) SELECT ?, jid, ? FROM users"
_ADD_STANZA = "INSERT INTO stanzas (key, message_id, stanza_id, state, upto) VALUES (?, ?, ?, ?, '')"


def _threads() -> Select[Any]:
    """Return the conversations of `:user`: name, count of unread, last message, title, picture; the newest first.

    Threads are found one after the other in the index `deliveries_by_thread`, however many messages each has.
    """
    user: BindParameter[str] = bindparam("user")
    first = select(func.min(DeliveryRow.thread).label("name")).where(DeliveryRow.jid == user)
    names = first.cte("names", recursive=True)
    following = select(func.min(DeliveryRow.thread)).where(DeliveryRow.jid == user, DeliveryRow.thread > names.c.name)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.name.is_not(None)))
    here = (DeliveryRow.jid == user, DeliveryRow.thread == names.c.name)
    last = select(func.max(DeliveryRow.message_id)).where(*here).scalar_subquery()
    upto = select(ReadRow.upto).where(ReadRow.jid == user, ReadRow.thread == names.c.name).scalar_subquery()
    written = aliased(MessageRow)
    unread = (
        select(func.count())
        .select_from(DeliveryRow)
        .join(written, written.id == DeliveryRow.message_id)
        .where(*here, DeliveryRow.message_id > func.coalesce(upto, 0), written.sender != user)
        .scalar_subquery()
    )
    return (
        select(names.c.name, unread, MessageRow, func.coalesce(UserRow.name, GroupRow.name), UserRow.avatar)
        .select_from(names)
        .join(MessageRow, MessageRow.id == last)
        .outerjoin(UserRow, UserRow.jid == names.c.name)
        .outerjoin(GroupRow, GroupRow.jid == names.c.name)
        .order_by(MessageRow.id.desc())
    )


_THREADS = _threads()


class Messages:
    """Messages, each in the history of everyone it reached."""

    def __init__(self, database: Database, domain: str, clock: Callable[[], float]) -> None:
        self._database = database
        self._domain = domain
        self._clock = clock
        self.relayed = False
        """Whether each message is put into the queue to the XMPP server as well, in the same transaction."""

    def direct(self, sender: Sender, to: str, text: str) -> Carried:
        """Store a message to the user `to`, from a person or, as an alert, from the host."""
        with self._database.driver() as c:
            _check_user(c, to)
            if sender.is_host:
                return self._deliver(c, "alert", sender, to, text, {to: sender.jid})
            _check_user(c, sender.jid)
            return self._deliver(c, "direct", sender, to, text, {sender.jid: to, to: sender.jid})

    def group(self, sender: Sender, group: str, text: str) -> Carried:
        """Store a message to everybody in `group`. The sender is a member or the host."""
        with self._database.transaction() as t:
            members = self._group(t, group).members
            if not sender.is_host and sender.jid not in members:
                raise Forbidden("Only its members can write to a group.", hint="Ask a member to be invited.")
            return self._deliver(driver_of(t.connection()), "group", sender, group, text, dict.fromkeys(members, group))

    def broadcast(self, sender: Sender, text: str) -> Carried:
        """Store a message to every user."""
        with self._database.driver() as c:
            message = self._add(c, "alert", sender, self._domain, text)
            c.execute(_ADD_DELIVERIES, (message.id, sender.jid))
        return message, self._reached(message)

    def recipients(self, message_id: int, after: str, limit: int) -> list[str]:
        """Return the next `limit` users whom a message reached, in the order of their JIDs."""
        query = (
            select(DeliveryRow.jid)
            .where(DeliveryRow.message_id == message_id, DeliveryRow.jid > after)
            .order_by(DeliveryRow.jid)
            .limit(limit)
        )
        with self._database.transaction() as t:
            return list(t.scalars(query))

    def sent(self, call: str | None = None, app_id: str | None = None, limit: int | None = None) -> list[Sent]:
        """Return what the REST API accepted, or the last `limit`, oldest first; of one call or app if given."""
        query = select(MessageRow).where(MessageRow.app_id.is_not(None)).order_by(MessageRow.id.desc()).limit(limit)
        if app_id is not None:
            query = query.where(MessageRow.app_id == app_id)
        if call is not None:
            query = query.where(self._calls == call)
        with self._database.transaction() as t:
            found = t.execute(query.add_columns(self._calls)).all()
        return [Sent(name, row.app_id or "", row.to, row.text, moment(row.at)) for row, name in reversed(found)]

    def create_group(self, owner: str, members: Iterable[str], name: str, group: str | None) -> tuple[Group, list[str]]:
        """Create or change the group; return it and its new members.

        If `group` exists it is opened instead: whoever is in it already is not invited again.
        """
        with self._database.transaction() as t:
            wanted = dict.fromkeys([owner, *members])
            for jid in wanted:
                user_row(t, jid)
            group = group or f"{secrets.token_hex(3)}-{secrets.randbelow(10**6):06}@muc.{self._domain}"
            row = t.get(GroupRow, group)
            if row is None:
                t.add(GroupRow(jid=group, name=name or self._names(t, wanted), owner=owner))
                t.flush()
                already: tuple[str, ...] = ()
            else:
                already = self._group(t, group).members
                if owner not in already:
                    raise Forbidden("There is a group with this JID already.", hint="Ask a member to be invited.")
            new = [jid for jid in wanted if jid not in already]
            if len(already) + len(new) > contract.MEMBERS_MAX:
                raise Refusal(f"A group has at most {contract.MEMBERS_MAX} members.")
            t.add_all(MemberRow(group=group, jid=jid) for jid in new)
            t.flush()
            return self._group(t, group), new

    def adopt_group(self, group: Group) -> bool:
        """Take the group as it is on the XMPP server; users that don't exist are left out. Says whether it was news."""
        with self._database.transaction() as t:
            row = t.get(GroupRow, group.jid)
            members = set(t.scalars(select(UserRow.jid).where(UserRow.jid.in_(group.members))))
            if row is None:
                t.add(GroupRow(jid=group.jid, name=group.name or self._names(t, members), owner=group.owner))
                t.flush()
            before = set(t.scalars(select(MemberRow.jid).where(MemberRow.group == group.jid)))
            renamed = row is not None and bool(group.name) and row.name != group.name
            if row is not None and renamed:
                row.name = group.name
            t.execute(delete(MemberRow).where(MemberRow.group == group.jid, MemberRow.jid.in_(before - members)))
            t.add_all(MemberRow(group=group.jid, jid=jid) for jid in members - before)
            return row is None or renamed or members != before

    def drop_group(self, jid: str) -> None:
        """Forget a group that was destroyed on the XMPP server; what was written in it stays."""
        with self._database.transaction() as t:
            t.execute(delete(GroupRow).where(GroupRow.jid == jid))

    def receive(
        self,
        kind: MessageKind,
        sender: str,
        to: str,
        text: str,
        *,
        owner: str,
        archive_id: str,
        stanza_id: str,
        at: float | None,
    ) -> list[Delivered]:
        """Deliver a message that another XMPP client wrote; nothing if it is known already.

        It counts once for each `archive_id` of its `owner`: a user or a group. Sender and recipient have archives of
        their own: the first of equal messages in the one is the first of them in the other.
        """
        archive_id = archive_id or secrets.token_hex(16)  # not archived, so it comes once
        key = stanza_key(kind, sender, to, stanza_id, text)
        with self._database.transaction() as t:
            author = t.get(UserRow, sender)
            if author is None or t.get(StanzaRow, key) is not None or t.get(HeardRow, (owner, archive_id)) is not None:
                return []
            had = select(HeardRow.message_id).where(HeardRow.key == key, HeardRow.owner == owner)
            there = select(func.min(HeardRow.message_id)).where(HeardRow.key == key, HeardRow.message_id.not_in(had))
            if (message_id := t.scalar(there)) is not None:
                t.add(HeardRow(owner=owner, archive_id=archive_id, key=key, message_id=message_id))
                return []
            if kind == "group":
                if t.get(GroupRow, to) is None:
                    return []
                threads = dict.fromkeys(self._group(t, to).members, to)
            else:
                threads = {sender: to} | ({to: sender} if t.get(UserRow, to) else {})
            message, delivered = self._deliver(
                driver_of(t.connection()), kind, Sender(sender, author.name), to, text, threads, at=at, relay=False
            )
            t.add(HeardRow(owner=owner, archive_id=archive_id, key=key, message_id=message.id))
            return delivered

    def groups(self, user: str | None = None) -> list[Group]:
        """Every group, or those that `user` is in, by name."""
        query = select(GroupRow).order_by(GroupRow.name, GroupRow.jid)
        if user is not None:
            query = query.join(MemberRow, MemberRow.group == GroupRow.jid).where(MemberRow.jid == user)
        return self._groups(query)

    def group_page(self, search: str = "", *, skip: int = 0, limit: int) -> list[Group]:
        """Up to `limit` groups, by name, of whose name or JID each word of `search` is a part."""
        query = matching(select(GroupRow), search, GroupRow.name, GroupRow.jid)
        return self._groups(query.order_by(GroupRow.name, GroupRow.jid).offset(skip).limit(limit))

    def group_count(self, search: str = "") -> int:
        """Return how many groups `group_page` has in all."""
        query = matching(select(func.count()).select_from(GroupRow), search, GroupRow.name, GroupRow.jid)
        with self._database.transaction() as t:
            return t.scalar(query) or 0

    def _groups(self, query: Select[Any]) -> list[Group]:
        with self._database.transaction() as t:
            rows = t.scalars(query).all()
            members: dict[str, list[str]] = {row.jid: [] for row in rows}
            found = select(MemberRow.group, MemberRow.jid).where(MemberRow.group.in_(members)).order_by(MemberRow.jid)
            for group, jid in t.execute(found):
                members[group].append(jid)
        return [Group(row.jid, row.name, row.owner, tuple(members[row.jid])) for row in rows]

    def find_group(self, jid: str) -> Group | None:
        """Return the group `jid`, or None."""
        with self._database.transaction() as t:
            return self._group(t, jid) if t.get(GroupRow, jid) else None

    def history(self, user: str, thread: str | None, before: int | None, limit: int) -> list[Message]:
        """Return the last `limit` messages of `user`, of one thread if given, before the ID `before`; oldest first."""
        query = (
            select(MessageRow, DeliveryRow.thread)
            .join(DeliveryRow, DeliveryRow.message_id == MessageRow.id)
            .where(DeliveryRow.jid == user)
            .order_by(DeliveryRow.message_id.desc())  # by an index, so that no more than the limit is read
            .limit(limit)
        )
        if thread is not None:
            query = query.where(DeliveryRow.thread == thread)
        if before is not None:
            query = query.where(DeliveryRow.message_id < before)
        with self._database.transaction() as t:
            user_row(t, user)
            return [_message(row, name) for row, name in t.execute(query)][::-1]

    def threads(self, user: str) -> list[Thread]:
        """Return the conversations of `user`, the one with the newest message first."""
        with self._database.transaction() as t:
            user_row(t, user)
            return [self._thread(*row) for row in t.execute(_THREADS, {"user": user})]

    def mark_read(self, user: str, thread: str) -> bool:
        """Take all of `thread` as read by `user`. Says whether that changed anything."""
        with self._database.transaction() as t:
            user_row(t, user)
            newest = t.scalar(
                select(func.max(DeliveryRow.message_id)).where(DeliveryRow.jid == user, DeliveryRow.thread == thread)
            )
            row = t.get(ReadRow, (user, thread))
            if newest is None or (row is not None and row.upto >= newest):
                return False
            t.merge(ReadRow(jid=user, thread=thread, upto=newest))
            return True

    def _deliver(
        self,
        c: sqlite3.Connection,
        kind: MessageKind,
        sender: Sender,
        to: str,
        text: str,
        threads: dict[str, str],
        *,
        at: float | None = None,
        relay: bool = True,
    ) -> tuple[Message, list[Delivered]]:
        message = self._add(c, kind, sender, to, text, at=at, relay=relay)
        c.executemany(_ADD_DELIVERY, ((message.id, jid, thread) for jid, thread in threads.items()))
        return message, [Delivered(jid, replace(message, thread=thread)) for jid, thread in threads.items()]

    def _add(
        self,
        c: sqlite3.Connection,
        kind: MessageKind,
        sender: Sender,
        to: str,
        text: str,
        *,
        at: float | None = None,
        relay: bool = True,
    ) -> Message:
        """Return a message, as its sender sees it, that has reached nobody yet."""
        at = self._clock() if at is None else at
        values = (kind, sender.jid, sender.name, sender.app_id, to, text, at)
        message_id = c.execute(_ADD_MESSAGE, values).lastrowid or 0
        if relay and self.relayed:
            stanza_id = secrets.token_hex(16)
            key = stanza_key(kind, sender.jid, to, stanza_id, text)
            c.execute(_ADD_STANZA, (key, message_id, stanza_id, QUEUED))
        return Message(message_id, kind, sender.jid if kind == "alert" else to, sender, to, text, moment(at))

    def _reached(self, message: Message) -> Iterator[Delivered]:
        after = ""
        while jids := self.recipients(message.id, after, PAGE):
            yield from (Delivered(jid, message) for jid in jids)
            after = jids[-1]

    @property
    def _calls(self) -> ColumnElement[str]:
        """The name of the call by which a message came."""
        return case(
            (MessageRow.kind == "group", "groupMessage"),
            (MessageRow.to == self._domain, "massBroadcast"),
            else_="singleMessage",
        )

    def _group(self, t: Transaction, jid: str) -> Group:
        row = t.get(GroupRow, jid)
        if row is None:
            raise NotFound("There is no such group.", hint="The admin portal lists the groups.")
        members = t.scalars(select(MemberRow.jid).where(MemberRow.group == jid).order_by(MemberRow.jid)).all()
        return Group(row.jid, row.name, row.owner, tuple(members))

    def _names(self, t: Transaction, jids: Iterable[str]) -> str:
        names = [t.get_one(UserRow, jid).name.split()[0] for jid in jids]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

    def _thread(self, name: str, unread: int, row: MessageRow, title: str | None, picture: str | None) -> Thread:
        message = _message(row, name)
        if message.kind == "alert":
            return Thread(name, message.kind, "Alerts", avatar(name, "!"), message, unread)
        title = title or name.partition("@")[0]  # a user or group that was removed since
        return Thread(name, message.kind, title, picture or avatar(name, title), message, unread)


def _check_user(c: sqlite3.Connection, jid: str) -> None:
    if c.execute(_HAS_USER, (jid,)).fetchone() is None:
        raise no_user()


def _message(row: MessageRow, thread: str) -> Message:
    sender = Sender(row.sender, row.sender_name, row.app_id)
    return Message(row.id, cast(MessageKind, row.kind), thread, sender, row.to, row.text, moment(row.at))
