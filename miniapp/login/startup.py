"""Check before an app's first request that what `MiniApp.init_app` set up is in force, and every guard in its place.

`init_app` can't see what comes after it: views, and changes of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask import Flask, appcontext_pushed
from flask.cli import ScriptInfo

from ..errors import ConfigurationError, Problem
from . import misplaced
from .secret_keys import read_fallback_keys, read_secret_key, signing_keys


def install(app: Flask) -> None:
    """Have `app` answer 500 to every request, and `flask routes` fail, while there is a problem."""

    def check() -> None:
        _refuse_problems(app)
        # Once is enough: Flask registers nothing after the first request. A new list, since this one is being read.
        hooks = app.before_request_funcs
        hooks[None] = [hook for hook in hooks[None] if hook is not check]
        appcontext_pushed.disconnect(_check_routes, app)

    app.before_request_funcs.setdefault(None, []).insert(0, check)  # first, so that no hook answers before it
    appcontext_pushed.connect(_check_routes, app)


def _refuse_problems(app: Flask) -> None:
    if found := list(problems(app)):
        raise ConfigurationError(found)


def _check_routes(app: Flask) -> None:
    """Check `app` when `flask routes` begins, which makes no request."""
    command = click.get_current_context(silent=True)
    if command is not None and command.info_name == "routes" and isinstance(command.obj, ScriptInfo):
        _refuse_problems(app)


def problems(app: Flask) -> Iterator[Problem]:
    """Yield what makes the logins of `app` worth nothing, whatever its settings say."""
    yield from misplaced.problems(app)
    state = app.extensions["miniapp"]
    if getattr(app, "login_manager", None) is not state.login_manager:
        what = "was replaced after MiniApp.init_app, so Flask-Login's login_required asks another one."
        yield Problem("LoginManager", what, "Leave it out: MiniApp brings its own, as app.login_manager.")
    if app.config.get("LOGIN_DISABLED") and not app.testing:
        what = "is set: Flask-Login's login_required lets every stranger pass."
        yield Problem("LOGIN_DISABLED", what, "Take it out of the app's configuration.")
    if _keys(app) != state.logins.cookies.secret_keys:
        what = "or SECRET_KEY_FALLBACKS was changed after MiniApp.init_app, which has checked them."
        yield Problem("SECRET_KEY", what, "Set both before init_app.")


def _keys(app: Flask) -> list[bytes] | None:
    """Return the keys that Flask signs its sessions with now, or None if one is not good enough."""
    secret_key, problem = read_secret_key(app.config, None)
    fallbacks, found = read_fallback_keys(app.config)
    if problem or found or secret_key is None:
        return None
    return signing_keys(secret_key, fallbacks)
