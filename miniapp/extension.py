"""`MiniApp`: what makes a Flask app a mini app."""

from __future__ import annotations

import functools
import hashlib
import hmac
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import flask_login
import requests
from flask import Flask, Response, current_app, g, has_request_context, request

from . import routes, shim, texts
from .errors import Code, ConfigurationError, HostError, JIDError, LedgerError, MessageError, MiniAppError, Problem
from .login import flask_session, guard, headers, startup
from .login.cookies import LoginCookie
from .login.endpoint import on_logged_out
from .login.secret_keys import read_fallback_keys, read_secret_key, signing_keys
from .login.signed import Logins
from .login.user import current_user
from .login.verifier import Verifier
from .onechat.client import OneChat
from .responses import RETRY_AFTER, error, host_error
from .script_tag import script_tag
from .settings import Secret, Settings
from .state import Check, State, state

if TYPE_CHECKING:
    from .outbox import Outbox


class MiniApp:
    """Make a Flask app a mini app: login, framework routes, security headers, client, bulk sends.

    `MiniApp(app)` sets up one app; `MiniApp()` with `init_app` in a factory serves any number of apps, each with a
    state of its own. The arguments are those of `init_app`.

    In templates it adds `miniapp_script()`, the element that loads the bridge; `csp_nonce()`, this request's nonce for
    scripts and styles, unless another extension has set one; `miniapp_text(code)`, the sentence for an error code, or
    None; and `current_user`.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        env_file: str | Path | None = ".env",
        session: requests.Session | None = None,
    ) -> None:
        if app is not None:
            self.init_app(app, env_file=env_file, session=session)

    def init_app(
        self, app: Flask, *, env_file: str | Path | None = ".env", session: requests.Session | None = None
    ) -> None:
        """Set up `app`: settings, login, routes, template helpers, headers.

        Settings come from `app.config["ONECHAT_*"]`, then the environment, then `env_file`. That file is looked for in
        the app's root path, then in the working directory; None reads none. Calls to OneChat go through `session`, by
        default a new one. Raises `ConfigurationError` with every problem, also if `app` is set up already.
        """
        if "miniapp" in app.extensions:
            raise ConfigurationError(
                [Problem("MiniApp", "is set up for this app already.", "Call init_app once for each app.")]
            )
        found = app.extensions["miniapp"] = _read(app, env_file, session)
        _set_up_login(app, found)
        app.jinja_env.globals.update(miniapp_script=script_tag, miniapp_text=texts.text)
        app.jinja_env.globals.setdefault("csp_nonce", headers.nonce)  # unless an extension makes the app's policy
        # The first hook, so that no guard of the whole app keeps people from logging in, whenever it was set up.
        app.before_request_funcs.setdefault(None, []).insert(0, routes.answer_own)
        startup.install(app)  # before that, once: is the app fit to serve anything?
        # Flask runs these in reverse order: last, so that no other extension changes the headers of our own pages.
        app.after_request_funcs.setdefault(None, []).insert(0, lambda response: _after_request(response, found))
        routes.add_routes(app)
        if found.outbox is not None:
            found.checks["outbox"] = found.outbox.check
            # Start on the first request: a pre-fork server forks after init_app and would lose the thread.
            app.before_request(lambda: _start(app, cast("Outbox", found.outbox)))
        for kind in (HostError, LedgerError, MessageError, JIDError):
            app.register_error_handler(kind, _on_error)
        app.register_error_handler(401, guard.on_unauthorized)

    @property
    def state(self) -> State:
        """The current app's state, for the framework itself. Raises `ConfigurationError` without `init_app`."""
        try:
            return state()
        except KeyError:
            raise ConfigurationError(
                [Problem("MiniApp", "is not set up for this app.", "Call miniapp.init_app(app).")]
            ) from None

    @property
    def client(self) -> OneChat:
        """The current app's client of OneChat, safe to share among threads."""
        return self.state.client

    @property
    def outbox(self) -> Outbox:
        """The current app's bulk sends. Raises `ConfigurationError` if `ONECHAT_OUTBOX_URL` is not set."""
        if self.state.outbox is None:
            fix = "Set it to sqlite:///outbox.db, say."
            raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", "is not set.", fix)])
        return self.state.outbox

    @property
    def settings(self) -> Settings:
        """The current app's settings, frozen."""
        return self.state.settings

    def ready_check(self, app: Flask, name: str, check: Check) -> None:
        """Have `/readyz` of `app` call `check()` for each request. An exception makes the answer 503 and names `name`.

        What `check` returns is ignored. Leave OneChat itself out: while OneChat is away, users who are logged in are
        still served.
        """
        state(app).checks[name] = check


# --- setting up ---


def _read(app: Flask, env_file: str | Path | None, session: requests.Session | None) -> State:
    """Return the state of `app` by its settings and secret keys. Raises `ConfigurationError` with every problem."""
    found = _find(env_file, app)
    secret_key, problem = read_secret_key(app.config, found)
    fallbacks, problems = read_fallback_keys(app.config)
    problems += [problem] if problem else []
    if hasattr(app, "login_manager"):
        problems.append(
            Problem("LoginManager", "is set up for this app already.", "Leave it out: MiniApp brings its own.")
        )
    settings = Settings.read(app.config, found, extra=problems)
    assert secret_key is not None  # its problem would have been raised
    settings = replace(settings, outbox_url=Secret(_located(settings.outbox_url, app)))
    app.config.update(SECRET_KEY=secret_key, SECRET_KEY_FALLBACKS=fallbacks)
    keys = signing_keys(secret_key, fallbacks)
    client = OneChat(settings, session=session)
    return State(
        settings=settings,
        client=client,
        logins=Logins(keys, settings.app_id, LoginCookie(settings)),
        verifier=Verifier(client.authenticate_user, _derive(keys[-1], settings.app_id)),
        shim=shim.render(settings),
        login_manager=guard.login_manager(),
        outbox=_outbox(settings, client),
    )


def _set_up_login(app: Flask, found: State) -> None:
    # LoginManager.init_app would add a hook after each request for its remember-me cookie, which we never use and
    # which opens the session every time. The next two lines are the rest of it.
    app.login_manager = found.login_manager  # type: ignore[attr-defined]
    app.context_processor(lambda: {"current_user": current_user})
    flask_login.user_logged_out.connect(on_logged_out, app)
    if found.settings.cookie == "partitioned":
        app.config.update(SESSION_COOKIE_SAMESITE="None", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_PARTITIONED=True)
    elif app.config["SESSION_COOKIE_SAMESITE"] is None:
        app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    flask_session.install(app)


def _places(app: Flask) -> list[Path]:
    """Return the folders where the app's files may be, the likeliest first: its own, its package's, the working one."""
    root = Path(app.root_path)
    package = [root.parent] if (root / "__init__.py").is_file() else []
    return [root, *package, Path.cwd()]


def _find(env_file: str | Path | None, app: Flask) -> Path | None:
    if env_file is None:
        return None
    return next((place / env_file for place in _places(app) if (place / env_file).is_file()), None)


def _located(outbox_url: str, app: Flask) -> str:
    """Make a relative SQLite path absolute: it is where the file is, else beside the app's module or package."""
    scheme, _, path = outbox_url.partition(":///")
    if not (scheme.startswith("sqlite") and path) or path.startswith((":memory:", "file:")) or Path(path).is_absolute():
        return outbox_url
    places = _places(app)
    folder = next((place for place in places if (place / path).is_file()), places[-2])
    return f"{scheme}:///{folder / path}"


def _derive(secret_key: bytes, app_id: str) -> bytes:
    return hmac.new(secret_key, f"miniapp.session.{app_id}".encode(), hashlib.sha256).digest()


def _outbox(settings: Settings, client: OneChat) -> Outbox | None:
    if not settings.outbox_url:
        return None
    try:
        from .outbox import Outbox  # an extra: apps without bulk sends go without a database
    except ModuleNotFoundError as error:
        fix = "Install it: pip install 'onechat-miniapp[outbox]'"
        raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", f"needs {error.name}.", fix)]) from None
    return Outbox(settings, client, owner=lambda: current_user.jid if has_request_context() else "")


# --- at requests ---


@functools.lru_cache(maxsize=64)
def _log_once(logger: logging.Logger, message: str) -> None:
    logger.error(message)


def _start(app: Flask, outbox: Outbox) -> None:
    """Start this process's worker thread. Pages are served although the ledger can't be opened."""
    try:
        outbox.start()
    except MiniAppError as error:
        _log_once(app.logger, f"The outbox can't start. {error}")
    except Exception:  # no more threads, say
        app.logger.exception("The outbox can't start.")


def _after_request(response: Response, found: State) -> Response:
    if request.blueprint == routes.BLUEPRINT or "miniapp.login_page" in request.environ:
        headers.secure(response, found.settings, replace=True)
    elif found.settings.headers == "app":
        headers.secure(response, found.settings)
    if "miniapp.logged_out" in request.environ:
        found.logins.cookie.delete(response)
    if "_login_user" in g.__dict__:  # `in g` goes through a proxy, and this runs after each request of the app
        # This answer depends on the user: no cache may give it to another one (CVE-2023-30861).
        if "Vary" in response.headers:
            response.vary.update(("Cookie", "Authorization"))
        else:
            response.headers["Vary"] = "Cookie, Authorization"
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _on_error(problem: MiniAppError) -> Response:
    if isinstance(problem, HostError):
        return host_error(problem)
    if isinstance(problem, LedgerError):
        current_app.logger.error("%s: %s", problem.code, problem)
        return error(503, Code.OUTBOX_DATABASE, problem.message, problem.hint, RETRY_AFTER)
    return error(400, problem.code, problem.message, problem.hint)
