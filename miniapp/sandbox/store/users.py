"""The people of the host."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as Transaction

from .avatar import avatar
from .records import Conflict, NotFound, User
from .tables import Database, UserRow


class Users:
    """Users by bare JID."""

    def __init__(self, database: Database, domain: str) -> None:
        self._database = database
        self._domain = domain

    def all(self) -> list[User]:
        """Return every user, by name."""
        with self._database.transaction() as t:
            return [_user(row) for row in t.scalars(select(UserRow).order_by(UserRow.name, UserRow.jid))]

    def page(self, search: str = "", *, without: str = "", skip: int = 0, limit: int) -> list[User]:
        """Up to `limit` users in the order of their names, of whose name or JID each word of `search` is a part."""
        query = matching(select(UserRow), search, UserRow.name, UserRow.jid).where(UserRow.jid != without)
        query = query.order_by(UserRow.name, UserRow.jid).offset(skip).limit(limit)
        with self._database.transaction() as t:
            return [_user(row) for row in t.scalars(query)]

    def count(self, search: str = "") -> int:
        """Return how many users `page` has in all."""
        with self._database.transaction() as t:
            return t.scalar(matching(select(func.count()).select_from(UserRow), search, UserRow.name, UserRow.jid)) or 0

    def named(self, jids: Collection[str]) -> list[User]:
        """Those of `jids` that are users, in the order of their names."""
        query = select(UserRow).where(UserRow.jid.in_(jids)).order_by(UserRow.name, UserRow.jid)
        with self._database.transaction() as t:
            return [_user(row) for row in t.scalars(query)]

    def admins(self) -> list[User]:
        """Return the administrators, by name."""
        query = select(UserRow).where(UserRow.admin.is_(True)).order_by(UserRow.name, UserRow.jid)
        with self._database.transaction() as t:
            return [_user(row) for row in t.scalars(query)]

    def find(self, jid: str) -> User | None:
        """Return the user `jid`, or None."""
        with self._database.transaction() as t:
            row = t.get(UserRow, jid)
            return _user(row) if row else None

    def get(self, jid: str) -> User:
        """Return the user `jid`. Raises `NotFound`."""
        with self._database.transaction() as t:
            return _user(user_row(t, jid))

    def missing(self, jids: list[str]) -> list[str]:
        """Those of `jids` that no user has."""
        with self._database.transaction() as t:
            known = set(t.scalars(select(UserRow.jid).where(UserRow.jid.in_(jids))))
        return [jid for jid in jids if jid not in known]

    def add(self, name: str, jid: str | None = None, *, admin: bool = False) -> User:
        """Add a user. Without a JID one is made from the name. Raises `Conflict` if `jid` is taken."""
        with self._database.transaction() as t:
            if jid is None:
                jid = self._free_jid(t, name)
            elif t.get(UserRow, jid):
                raise Conflict("There is a user with this JID already.", hint="Choose another.")
            row = UserRow(jid=jid, name=name, avatar=avatar(jid, name), admin=admin)
            t.add(row)
            return _user(row)

    def change(self, jid: str, *, name: str | None = None, admin: bool | None = None) -> User:
        """Give the user a new name, or make or unmake an admin. Raises `NotFound`."""
        with self._database.transaction() as t:
            row = user_row(t, jid)
            if name is not None:
                row.name, row.avatar = name, avatar(jid, name)
            if admin is not None:
                row.admin = admin
            return _user(row)

    def remove(self, jid: str) -> None:
        """Delete the user with sessions, memberships and history. Raises `NotFound`."""
        with self._database.transaction() as t:
            t.delete(user_row(t, jid))

    def _free_jid(self, t: Transaction, name: str) -> str:
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", ".", ascii_name).strip(".")[:48] or "user"
        number = 1
        local = stem
        while t.get(UserRow, f"{local}@{self._domain}"):
            number += 1
            local = f"{stem}{number}"
        return f"{local}@{self._domain}"


def matching(
    query: Select[Any], search: str, name: InstrumentedAttribute[str], jid: InstrumentedAttribute[str]
) -> Select[Any]:
    """`query` for what each word of `search` is a part of, in name or JID, whatever the case."""
    text = func.casefold(name + " " + jid)
    return query.where(*(func.instr(text, word) > 0 for word in search.casefold().split()))


def user_row(t: Transaction, jid: str) -> UserRow:
    """Return the row of the user `jid`. Raises `NotFound`."""
    row = t.get(UserRow, jid)
    if row is None:
        raise no_user()
    return row


def no_user() -> NotFound:
    """Return the error for a user that does not exist."""
    return NotFound("There is no such user.", hint="The admin portal lists the users.")


def _user(row: UserRow) -> User:
    return User(row.jid, row.name, row.avatar, row.admin)
