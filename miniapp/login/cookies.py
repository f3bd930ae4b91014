"""The login cookie: its name, its attributes, and every value of it that a request carries."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, request
from werkzeug.sansio.http import parse_cookie

from ..settings import Settings

PREFIX = "__Host-"
"""Browsers take a cookie of this name only from the very host, with Secure and the path `/` (RFC 6265bis, 4.1.3.2)."""


class LoginCookie:
    """Name, read, set and delete the login cookie of one app.

    The name is the app's own, since ports and paths don't keep two apps on one host name apart. It has the prefix
    `__Host-` wherever the cookie is Secure, so that no sister host can plant one.
    """

    def __init__(self, settings: Settings) -> None:
        own = hashlib.sha256(settings.app_id.encode()).hexdigest()[:8]  # told apart, not authenticated
        self.name = settings.cookie_name or f"miniapp_login_{own}"
        self._partitioned = settings.cookie == "partitioned"
        self._always_secure = self._partitioned or settings.public_url.startswith("https:")

    def name_here(self) -> str:
        """Return the cookie's name for the current request."""
        return PREFIX + self.name if self._secure() else self.name

    def values(self, header: str, name: str) -> list[str]:
        """Return every value of the cookie `name` in a `Cookie` header: browsers may send several."""
        return parse_cookie(header).getlist(name)

    def set(self, response: Response, value: str) -> None:
        """Set the cookie on `response`."""
        response.set_cookie(self.name_here(), value, **self._attributes(self._partitioned))

    def delete(self, response: Response) -> None:
        """Delete the cookie: also the one left from before `ONECHAT_COOKIE` was changed, a cookie of its own."""
        for partitioned in (False, True) if self._secure() else (False,):
            response.delete_cookie(self.name_here(), **self._attributes(partitioned))

    def _secure(self) -> bool:
        """Return whether the browser keeps a Secure cookie of this request.

        Chromium and Firefox do on `*.localhost` without TLS; WebKit doesn't, and goes on by bearer.
        """
        environ = request.environ
        if self._always_secure or environ["wsgi.url_scheme"] == "https":
            return True
        host: str = environ.get("HTTP_HOST", "")
        return host.partition(":")[0].lower().endswith(".localhost")

    def _attributes(self, partitioned: bool) -> dict[str, Any]:
        if partitioned:
            return {"path": "/", "httponly": True, "secure": True, "samesite": "None", "partitioned": True}
        return {"path": "/", "httponly": True, "secure": self._secure(), "samesite": "Lax"}
