"""Who is there: the login, `login_required`, the session endpoint, the 401 page."""

from __future__ import annotations

import functools
import hashlib
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import flask_login
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request, session
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, Unauthorized

from . import contract, guards, headers, jid, texts
from .cookies import LoginCookie
from .errors import HostBusy, HostError, HostNonsense, HostRefused, JIDError
from .verify import TooManyAttempts

if TYPE_CHECKING:
    from .extension import State

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_AFTER = 5
"""Seconds after which to try again where the host is unreachable and named no time itself."""
BODY_MAX = 8192
"""Bytes of a login's body: a JID (3 KiB at most) and a session ID (512 bytes) with room to spare."""
REFRESH = "_miniapp_refresh"
"""Key of Flask's session: a page demanded a fresh login."""
LOGINS_REMEMBERED, COOKIES_REMEMBERED_MAX = 4096, 1024
"""`Cookie` headers that need no second look, per process, and the longest of them: 4 MiB at most."""


@dataclass(frozen=True, slots=True)
class User:
    """A person whose session the host has verified.

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
        return self.jid


class Anonymous:
    """Nobody. `jid` is empty."""

    jid = ""
    is_authenticated = False
    is_active = False
    is_anonymous = True

    def get_id(self) -> None:
        return None


current_user: User = cast(User, flask_login.current_user)
"""The `User` of this request, or somebody whose `is_authenticated` is False and whose `jid` is empty."""


class Logins:
    """Signs logins, and reads them back.

    `secret_keys` holds Flask's SECRET_KEY_FALLBACKS, then its SECRET_KEY. The app ID goes into the signature's key:
    a login of one app is nothing to another that shares the secret.
    """

    def __init__(self, secret_keys: list[bytes], app_id: str, cookie: LoginCookie) -> None:
        kwargs = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self.cookies = URLSafeSerializer(secret_keys, salt=f"miniapp.login.{app_id}", signer_kwargs=kwargs)
        self.bearers = URLSafeSerializer(secret_keys, salt=f"miniapp.bearer.{app_id}", signer_kwargs=kwargs)
        self.cookie = cookie
        self._remembered = functools.lru_cache(LOGINS_REMEMBERED)(self._from_cookies)

    def sign(self, user: User, serializer: URLSafeSerializer) -> str:
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


def _state() -> State:
    return cast("State", current_app.extensions["miniapp"])


def _in_cookies(state: State) -> tuple[User, ...]:
    header = request.environ.get("HTTP_COOKIE")
    return state.logins.from_cookies(header, state.logins.cookie.name_here()) if header else ()


def load_user() -> User | None:
    """Return this request's user, by cookie or bearer: without a call to the host and without a store."""
    state, now = _state(), time.time()
    for user in _in_cookies(state):
        if user.expires_at > now:
            return user
    scheme, _, bearer = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = state.logins.read(bearer.strip(), state.logins.bearers)
    if found is None or found.expires_at <= now:
        return None
    request.environ["miniapp.bearer"] = True
    return found


def _may_not_pass() -> bool:
    if request.method == "OPTIONS":  # a browser sends its preflight without credentials; Flask-Login lets it pass too
        return False
    # Flask-Login keeps the request's user here. Set beforehand, its own way to one, which opens the session, is spared.
    marks = g.__dict__
    user = marks.get("_login_user")
    if user is None:
        user = marks["_login_user"] = load_user() or Anonymous()
    return not user.is_authenticated


def _manager() -> flask_login.LoginManager:
    return current_app.login_manager  # type: ignore[attr-defined]


View = TypeVar("View", bound=Callable[..., Any])


def login_required(view: View) -> View:
    """Lets only verified users reach `view`: a function, an `async` one, or a method.

    Others get the 401 page, where the shim logs in and comes back, or a JSON 401 if they asked for data. Put it below
    the route's decorator: an app in which it stands above refuses every request. Flask-Login's own `login_required`
    does the same. Raises `TypeError` for what is no function.
    """
    if inspect.isclass(view):
        raise TypeError(
            f"login_required guards functions. In the class {view.__name__} write: decorators = [login_required]"
        )
    if not callable(view):
        raise TypeError(
            f"login_required guards functions, not {type(view).__name__}. For all views of a blueprint, write below "
            "@blueprint.before_request and @login_required: def guard(): return None"
        )
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def guarded_async(*args: Any, **kwargs: Any) -> Any:
            if _may_not_pass():
                return _manager().unauthorized()
            return await view(*args, **kwargs)

        guards.mark(view, guarded_async)
        return cast(View, guarded_async)

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if _may_not_pass():
            return _manager().unauthorized()
        return view(*args, **kwargs)

    guards.mark(view, guarded)
    return cast(View, guarded)


def login_manager() -> flask_login.LoginManager:
    """Flask-Login's manager, set up so that our signed cookie or bearer is the one way to be somebody."""
    manager = flask_login.LoginManager()
    manager.session_protection = None
    manager.anonymous_user = Anonymous
    manager.request_loader(lambda _request: load_user())
    manager.unauthorized_handler(unauthorized)
    manager.needs_refresh_handler(needs_refresh)
    return manager


def wants_page() -> bool:
    """Whether this request is a person's navigation, rather than a call by a script."""
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate" or (mode != "websocket" and "text/html" in request.headers.get("Accept", ""))
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")


def error(status: int, code: str, message: str, hint: str = "", retry_after: float | None = None) -> Response:
    """Make an answer with the JSON body of every error of the framework's: `{"error": {code, message, hint}}`.

    If people see errors of this code, they get a sentence of their own. `message` and `hint`, for developers, then are
    the body's `hint`, in debug mode alone.
    """
    sentence = texts.text(code)
    if sentence is not None:
        message, hint = sentence, f"{message} {hint}".strip() if current_app.debug else ""
    response = jsonify(error={"code": code, "message": message, "hint": hint})
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after)))
    return response


def host_error(problem: HostError, *, refused: int = 502) -> Response:
    """Make the answer for a call to the host that failed, and log why.

    503 if the host is unreachable or busy, 502 if it spoke nonsense, `refused` if it refused the call.
    """
    current_app.logger.warning("%s: %s", problem.code, problem)
    if isinstance(problem, HostBusy):
        return error(503, problem.code, problem.message, problem.hint, problem.retry_after or RETRY_AFTER)
    if isinstance(problem, HostNonsense):
        return error(502, problem.code, problem.message, problem.hint)
    if isinstance(problem, HostRefused):
        return error(refused, problem.code, problem.message, problem.hint)
    return error(503, problem.code, problem.message, problem.hint, RETRY_AFTER)


def unauthorized() -> Response:
    """401: the page that carries the shim and nothing else, or JSON for a script."""
    if wants_page():
        response = make_response(render_template("miniapp/401.html", nonce=headers.nonce()), 401)
        request.environ["miniapp.login_page"] = True  # for the headers
    else:
        response = error(401, "signed_out", "There is no login, or it is over.", "Call OC.app.signIn() and try again.")
    response.headers["WWW-Authenticate"] = 'Bearer realm="onechat"'  # RFC 9110, 15.5.2: a 401 names a scheme
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("Cookie", "Authorization"))
    return response


def needs_refresh() -> Response:
    """Answer a request that Flask-Login's `fresh_login_required` refused: the next login counts as fresh."""
    session[REFRESH] = True
    return unauthorized()


def on_unauthorized(error: Unauthorized) -> Response | Unauthorized:
    """Answer an `abort(401)` of the app, unless it has a response or a scheme of its own."""
    return error if error.response is not None or error.www_authenticate else unauthorized()


def refuse_forged() -> Response | None:
    """Before each request: an unsafe method with our cookie must come from a page of ours (CSRF)."""
    if request.method in SAFE_METHODS or _state().logins.cookie.name_here() not in request.cookies:
        return None
    if headers.same_origin(_state().settings):
        return None
    return error(403, "forbidden_origin", "This request does not come from this app's own pages.")


# --- the session endpoint ---


def session_endpoint() -> Response:
    """POST verifies and logs in, DELETE logs out. See `docs/protocol.md`."""
    state = _state()
    if not headers.same_origin(state.settings):
        return error(403, "forbidden_origin", "This request does not come from this app's own pages.")
    if request.method == "DELETE":
        flask_login.logout_user()
        return Response(status=204)
    if request.mimetype != "application/json":
        return error(415, "not_json", "The body must be JSON.", "Send Content-Type: application/json.")
    fields = _fields()
    if isinstance(fields, Response):
        return fields
    name, session_id, bearer = fields
    before = next(iter(_in_cookies(state)), None)
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
        return error(401, "refused", "OneChat does not know this session.", "Close the mini app and open it again.")
    user = User(name, at + state.settings.login_lifetime, state.verifier.digest(name, session_id), time.time())
    return _log_in(user, state, bearer=bearer, keep=before is not None and before.jid == name)


def _fields() -> tuple[str, str, bool] | Response:
    """JID (canonical, bare), session ID and whether a bearer is wanted; or the answer that says what is wrong."""
    if (request.content_length or 0) > BODY_MAX:
        return error(413, "too_large", f"The body is larger than {BODY_MAX} bytes.")
    request.max_content_length = BODY_MAX  # for bodies that don't tell their length
    try:
        body = request.get_json()
        name = jid.bare(body["jid"])
        jid.user(name)
        session_id = body["sessionId"]
        if not isinstance(session_id, str) or not contract.SESSION_ID.match(session_id):
            raise ValueError
        return name, session_id, body.get("bearer") is True
    except JIDError as problem:
        return error(400, problem.code, problem.message, problem.hint)
    except RequestEntityTooLarge:
        return error(413, "too_large", f"The body is larger than {BODY_MAX} bytes.")
    except (BadRequest, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return error(400, "bad_request", "The body is not a JSON object with the texts jid and sessionId.")


def _log_in(user: User, state: State, *, bearer: bool, keep: bool) -> Response:
    if request.cookies.get(current_app.config["SESSION_COOKIE_NAME"]) is not None:
        fresh = session.pop(REFRESH, False)
        if not keep:
            session.clear()  # what somebody else left or planted there is not this user's
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
    """Flask-Login's `logout_user` was called, by us or by the app: the answer will take the login away."""
    request.environ["miniapp.logged_out"] = True
    if request.cookies.get(current_app.config["SESSION_COOKIE_NAME"]) is not None:
        session.clear()
