"""Who may log in to the XMPP server: with a password that the sandbox issued, or for a short time with a signed one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from ...store import Store
from ...store.records import User

CHAT_SECONDS = 300  # a page that was just loaded logs in at once, and asks again whenever it has to
_MARK = "oc1"  # tells a signed password from one that was issued, and from whatever may follow this form


class Credentials:
    """The accounts of `store`, as the server asks for them (`Accounts`), and passwords that expire."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.domain = store.domain
        self._store = store
        self._clock = clock
        self._key = secrets.token_bytes(32)  # of this run: what was signed does not outlive the sandbox

    def people(self) -> list[User]:
        """Return every user, by name."""
        return self._store.users.all()

    def exists(self, jid: str) -> bool:
        """Return whether there is a user `jid`."""
        return self._store.users.find(jid) is not None

    def check(self, jid: str, password: str) -> bool:
        """Return whether the user `jid` may log in with `password`."""
        if not self.exists(jid):
            return False
        return (
            self._signed(jid, password)
            if password.startswith(_MARK + ".")
            else self._store.passwords.check(jid, password)
        )

    def sign(self, jid: str, seconds: float = CHAT_SECONDS) -> str:
        """Return a password of the user `jid` for the next `seconds`."""
        expires = str(int(self._clock() + seconds))
        return f"{_MARK}.{expires}.{self._signature(jid, expires)}"

    def _signed(self, jid: str, password: str) -> bool:
        _, _, rest = password.partition(".")
        expires, _, signature = rest.partition(".")
        right = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(jid, expires).encode())
        return right and int(expires) > self._clock()

    def _signature(self, jid: str, expires: str) -> str:
        digest = hmac.digest(self._key, f"{jid}\0{expires}".encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
