"""Signed logins: the whole login is in the cookie or bearer token, so no request needs the host or a store."""

from __future__ import annotations

import functools
import hashlib

from itsdangerous import BadData, URLSafeSerializer

from .cookies import LoginCookie
from .user import User

LOGINS_REMEMBERED, COOKIES_REMEMBERED_MAX = 4096, 1024
"""`Cookie` headers whose logins are cached, per process, and the longest of them: 4 MiB at most."""


class Logins:
    """Signs logins into cookies and bearer tokens, and reads them.

    `secret_keys` holds Flask's SECRET_KEY_FALLBACKS, then its SECRET_KEY. The app ID goes into the signature's key:
    a login of one app is invalid in another that shares the secret.
    """

    def __init__(self, secret_keys: list[bytes], app_id: str, cookie: LoginCookie) -> None:
        kwargs = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self.cookies = URLSafeSerializer(secret_keys, salt=f"miniapp.login.{app_id}", signer_kwargs=kwargs)
        self.bearers = URLSafeSerializer(secret_keys, salt=f"miniapp.bearer.{app_id}", signer_kwargs=kwargs)
        self.cookie = cookie
        self._remembered = functools.lru_cache(LOGINS_REMEMBERED)(self._from_cookies)

    def sign(self, user: User, serializer: URLSafeSerializer) -> str:
        """Return the user's login, signed with `serializer`."""
        return serializer.dumps([user.jid, int(user.expires_at), user.session, round(user.issued_at, 3)])

    def read(self, signed: str, serializer: URLSafeSerializer) -> User | None:
        """Return the user that `signed` names, even if that login is over; None if this app did not sign it."""
        try:
            name, expires_at, digest, issued_at = serializer.loads(signed)
        except (BadData, ValueError, TypeError):
            return None
        return User(name, float(expires_at), digest, issued_at)

    def from_cookies(self, header: str, name: str) -> tuple[User, ...]:
        """Return the users that the cookies `name` of a `Cookie` header name, the latest login first.

        A browser sends two of one name if one is partitioned, or if another host or path set one. Logins that are
        over are among them.
        """
        if len(header) > COOKIES_REMEMBERED_MAX:
            return self._from_cookies(header, name)
        return self._remembered(header, name)

    def _from_cookies(self, header: str, name: str) -> tuple[User, ...]:
        found = [self.read(signed, self.cookies) for signed in self.cookie.values(header, name)]
        # Of two that are equally new, the later one: browsers send the older cookie first (RFC 6265, 5.4).
        return tuple(sorted(filter(None, reversed(found)), key=lambda user: -user.issued_at))
