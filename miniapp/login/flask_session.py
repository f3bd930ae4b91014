"""Flask's session, at no cost to requests that have none.

Flask's own interface makes a serializer and parses the cookies of every request, used or not: more work than all of
the login.
"""

from __future__ import annotations

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class QuickSessions(SecureCookieSessionInterface):
    """As Flask's, save that a request without the session's cookie gets an empty session at once."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return an empty session at once if the request has no session cookie."""
        if self.get_cookie_name(app) in request.environ.get("HTTP_COOKIE", ""):
            return super().open_session(app, request)
        return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session if the request used it."""
        if session or session.accessed or session.modified:
            super().save_session(app, session, response)


def install(app: Flask) -> None:
    """Give `app` these sessions, unless it has been given others."""
    if type(app.session_interface) is SecureCookieSessionInterface:
        app.session_interface = QuickSessions()
