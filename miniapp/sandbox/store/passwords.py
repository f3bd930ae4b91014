"""Passwords for chat clients: made here, shown once, kept as digests."""

from __future__ import annotations

import hmac

from .secret import digest, new_password
from .tables import Database, PasswordRow
from .users import user_row


class Passwords:
    """One password for each user who has asked for one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, jid: str) -> str:
        """Give the user `jid` a new password; an older one becomes invalid. Raises `NotFound`."""
        password = new_password()
        with self._database.transaction() as t:
            user_row(t, jid)
            t.merge(PasswordRow(jid=jid, digest=digest(password)))
        return password

    def check(self, jid: str, password: str) -> bool:
        """Return whether this is the password of the user `jid`."""
        with self._database.transaction() as t:
            row = t.get(PasswordRow, jid)
        return row is not None and hmac.compare_digest(row.digest, digest(password))
