"""The session endpoint: log in with OneChat's session ID, or log out."""

from __future__ import annotations

import time

import flask_login
from flask import Flask, Response, current_app, g, jsonify, request, session
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from .. import contract, jid
from ..errors import Code, HostBusy, HostError, HostRefused, JIDError, TooManyAttempts
from ..responses import error, host_error
from ..settings import Secret
from .current import LoginState, login_state
from .guard import REFRESH, users_in_cookies
from .origin import same_origin
from .user import User

BODY_MAX = 8192
"""Bytes of a login's body: a JID (3 KiB at most) and a session ID (512 bytes) with room to spare."""


def session_endpoint() -> Response:
    """Verify the session and log in (POST), or log out (DELETE). See `docs/routes.md`."""
    state = login_state()
    if not same_origin(state.settings):
        return error(403, Code.FORBIDDEN_ORIGIN, "This request does not come from this app's own pages.")
    if request.method == "DELETE":
        flask_login.logout_user()
        return Response(status=204)
    if request.mimetype != "application/json":
        return error(415, Code.NOT_JSON, "The body must be JSON.", "Send Content-Type: application/json.")
    fields = _fields()
    if isinstance(fields, Response):
        return fields
    name, session_id, bearer = fields
    before = next(iter(users_in_cookies(state)), None)
    known = before is not None and before.jid == name and before.expires_at > time.time()
    try:
        at = state.verifier.verify(name, session_id, address=request.remote_addr or "", known=known)
    except TooManyAttempts as problem:
        return error(429, problem.code, problem.message, problem.hint, problem.retry_after)
    except HostError as problem:
        if isinstance(problem, HostRefused) and not isinstance(problem, HostBusy):
            flask_login.logout_user()
        return host_error(problem, refused=401)
    if at is None:
        flask_login.logout_user()
        return error(401, Code.REFUSED, "OneChat does not know this session.", "Close the mini app and open it again.")
    user = User(name, at + state.settings.login_lifetime, state.verifier.digest(name, session_id), time.time())
    return _log_in(user, state, bearer=bearer, keep=before is not None and before.jid == name)


def _fields() -> tuple[str, Secret, bool] | Response:
    """Return the canonical bare JID, the session ID, and whether a bearer token is wanted; or an error answer."""
    if (request.content_length or 0) > BODY_MAX:
        return error(413, Code.TOO_LARGE, f"The body is larger than {BODY_MAX} bytes.")
    request.max_content_length = BODY_MAX  # for bodies without a Content-Length
    try:
        body = request.get_json()
        name = jid.bare(body["jid"])
        jid.user(name)
        session_id = body["sessionId"]
        if not isinstance(session_id, str) or not contract.SESSION_ID.match(session_id):
            raise ValueError
        return name, Secret(session_id), body.get("bearer") is True
    except JIDError as problem:
        return error(400, problem.code, problem.message, problem.hint)
    except RequestEntityTooLarge:
        return error(413, Code.TOO_LARGE, f"The body is larger than {BODY_MAX} bytes.")
    except (BadRequest, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return error(400, Code.BAD_REQUEST, "The body is not a JSON object with the texts jid and sessionId.")


def _log_in(user: User, state: LoginState, *, bearer: bool, keep: bool) -> Response:
    if request.cookies.get(current_app.config["SESSION_COOKIE_NAME"]) is not None:
        fresh = session.pop(REFRESH, False)
        if not keep:
            session.clear()  # another user's data, or planted before the login
        if fresh:
            session["_fresh"] = True  # where Flask-Login looks for it
    if bearer:
        left = max(0, int(user.expires_at - time.time()))
        response = jsonify(bearer=state.logins.sign(user, state.logins.bearers), expiresIn=left)
    else:
        response = Response(status=204)
        state.logins.cookie.set(response, state.logins.sign(user, state.logins.cookies))
    response.headers["Cache-Control"] = "no-store"
    g._login_user = user
    flask_login.user_logged_in.send(current_app._get_current_object(), user=user)  # type: ignore[attr-defined]
    return response


def on_logged_out(_app: Flask, **_: object) -> None:
    """Have the answer delete the login, as Flask-Login's `logout_user` was called."""
    request.environ["miniapp.logged_out"] = True
    if request.cookies.get(current_app.config["SESSION_COOKIE_NAME"]) is not None:
        session.clear()
