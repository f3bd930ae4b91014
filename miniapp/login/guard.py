"""`login_required`, the user of a request, and the answers to requests without a login."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import flask_login
from flask import Response, current_app, g, make_response, render_template, request, session
from werkzeug.exceptions import Unauthorized

from ..errors import Code
from ..responses import error, wants_page
from . import headers, misplaced
from .current import LoginState, login_state
from .origin import same_origin
from .user import Anonymous, User

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REFRESH = "_miniapp_refresh"
"""Key of Flask's session: a page demanded a fresh login."""


def users_in_cookies(state: LoginState) -> tuple[User, ...]:
    """Return the users that the request's login cookies name, the latest login first, expired ones too."""
    header = request.environ.get("HTTP_COOKIE")
    return state.logins.from_cookies(header, state.logins.cookie.name_here()) if header else ()


def load_user() -> User | None:
    """Return this request's user, by cookie or bearer: without a call to the host and without a store."""
    state, now = login_state(), time.time()
    for user in users_in_cookies(state):
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
    if request.method == "OPTIONS":  # a preflight carries no credentials; Flask-Login lets it pass too
        return False
    # Flask-Login keeps the request's user here. Setting it first saves its own look-up, which opens the session.
    marks = g.__dict__
    user = marks.get("_login_user")
    if user is None:
        user = marks["_login_user"] = load_user() or Anonymous()
    return not user.is_authenticated


def _manager() -> flask_login.LoginManager:
    return current_app.login_manager  # type: ignore[attr-defined]


View = TypeVar("View", bound=Callable[..., Any])


def login_required(view: View) -> View:
    """Let only users whom OneChat has verified reach `view`: a function, an `async` function, or a method.

    Without a login, a page answers 401 with the shim alone, which logs in and loads the page again; a request for data
    gets 401 as JSON, with the code `signed_out`. Put it below the route's decorator: an app in which it stands above
    refuses every request. Flask-Login's own `login_required` does the same. Raises `TypeError` if `view` is not a
    function. It follows `authenticateUser` of OneChat's page.
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

        misplaced.mark(view, guarded_async)
        return cast(View, guarded_async)

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if _may_not_pass():
            return _manager().unauthorized()
        return view(*args, **kwargs)

    misplaced.mark(view, guarded)
    return cast(View, guarded)


def login_manager() -> flask_login.LoginManager:
    """Return Flask-Login's manager, set up to take its user from our signed cookie or bearer token alone."""
    manager = flask_login.LoginManager()
    manager.session_protection = None
    manager.anonymous_user = Anonymous
    manager.request_loader(lambda _request: load_user())
    manager.unauthorized_handler(unauthorized)
    manager.needs_refresh_handler(needs_refresh)
    return manager


def unauthorized() -> Response:
    """401: the page that carries the shim and nothing else, or JSON for a script."""
    if wants_page():
        response = make_response(render_template("miniapp/401.html", nonce=headers.nonce()), 401)
        request.environ["miniapp.login_page"] = True  # for the headers
    else:
        response = error(
            401, Code.SIGNED_OUT, "There is no login, or it is over.", "Call OC.app.signIn() and try again."
        )
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
    if request.method in SAFE_METHODS or login_state().logins.cookie.name_here() not in request.cookies:
        return None
    if same_origin(login_state().settings):
        return None
    return error(403, Code.FORBIDDEN_ORIGIN, "This request does not come from this app's own pages.")
