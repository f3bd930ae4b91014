"""The user of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import flask_login


@dataclass(frozen=True, slots=True)
class User:
    """Describe a person whose session OneChat has verified.

    `jid` is the canonical bare JID. The login began at `issued_at` and ends at `expires_at` (Unix time, s). `session`
    is a keyed digest of the session ID: it tells sessions apart and is no credential. `is_authenticated` and
    `is_active` are True, `is_anonymous` is False.
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
"""The `User` of this request. Without a login, `is_authenticated` is False and `jid` is `""`."""
