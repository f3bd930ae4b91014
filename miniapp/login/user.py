"""The user of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import flask_login


@dataclass(frozen=True, slots=True)
class User:
    """A person whose session OneChat has verified.

    `jid` is the canonical bare JID; `expires_at` (Unix time) ends the login; `session` is a keyed digest of the
    session ID, for telling sessions apart; `issued_at` (Unix time) is when this login was made.
    """

    jid: str
    expires_at: float
    session: str
    issued_at: float = 0.0

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the JID, which is Flask-Login's ID of the user."""
        return self.jid


class Anonymous:
    """The user of a request without a login. `jid` is empty."""

    jid = ""
    is_authenticated = False
    is_active = False
    is_anonymous = True

    def get_id(self) -> None:
        """Return nothing, as there is no user."""


current_user: User = cast(User, flask_login.current_user)
"""The `User` of this request. Without a login, `is_authenticated` is False and `jid` is empty."""
