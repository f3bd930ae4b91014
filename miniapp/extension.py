"""`MiniApp`: what makes a Flask app a mini app."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import flask_login
import requests
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, jsonify, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from . import auth, headers, sessions, shim, startup, texts
from .client import OneChat
from .cookies import LoginCookie
from .errors import ConfigurationError, HostError, JIDError, LedgerError, MessageError, MiniAppError, Problem
from .secret_keys import read_fallback_keys, read_secret_key
from .settings import Secret, Settings
from .verify import Verifier

if TYPE_CHECKING:
    from .outbox import Outbox

Check = Callable[[], object]

BLUEPRINT = "miniapp"
ANYWHERE = "_miniapp_anywhere"


@dataclass(frozen=True)
class State:
    """What one app has of ours, in `app.extensions["miniapp"]`."""

    settings: Settings
    client: OneChat
    logins: auth.Logins
    verifier: Verifier
    shim: shim.Shim
    login_manager: flask_login.LoginManager
    outbox: Outbox | None = None
    checks: dict[str, Check] = field(default_factory=dict)


class MiniApp:
    """The Flask extension. One object serves any number of apps; each app's state is its own.

    `MiniApp(app)`, or `miniapp = MiniApp()` and `miniapp.init_app(app)` in a factory. Settings come from
    `app.config["ONECHAT_*"]`, then the environment, then `.env`.
    """

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        if app is not None:
            self.init_app(app, **options)

    def init_app(
        self, app: Flask, *, env_file: str | Path | None = ".env", session: requests.Session | None = None
    ) -> None:
        """Sets `app` up: settings, login, routes, template helpers, headers.

        `env_file` is looked for in the app's root path, then in the working directory; None reads none. `session` is
        the requests session that calls to OneChat go through. Raises `ConfigurationError`.
        """
        if "miniapp" in app.extensions:
            raise ConfigurationError(
                [Problem("MiniApp", "is set up for this app already.", "Call init_app once for each app.")]
            )
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
        keys = [_bytes(key) for key in (*fallbacks, secret_key)]
        client = OneChat(settings, session=session)
        state = State(
            settings=settings,
            client=client,
            logins=auth.Logins(keys, settings.app_id, LoginCookie(settings)),
            verifier=Verifier(client.authenticate_user, _derive(keys[-1], settings.app_id)),
            shim=shim.render(settings),
            login_manager=auth.login_manager(),
            outbox=_outbox(settings, client),
        )
        app.extensions["miniapp"] = state
        # LoginManager.init_app would add a hook after each request for its remember-me cookie, which we never use
        # and which opens the session every time. What else it does is the next two lines.
        app.login_manager = state.login_manager  # type: ignore[attr-defined]
        app.context_processor(lambda: {"current_user": auth.current_user})
        app.jinja_env.globals.update(miniapp_script=_script, miniapp_text=texts.text)
        app.jinja_env.globals.setdefault("csp_nonce", headers.nonce)  # unless an extension makes the app's policy
        flask_login.user_logged_out.connect(auth.on_logged_out, app)
        if settings.cookie == "partitioned":
            app.config.update(
                SESSION_COOKIE_SAMESITE="None", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_PARTITIONED=True
            )
        elif app.config["SESSION_COOKIE_SAMESITE"] is None:
            app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
        sessions.install(app)
        # First of all, so that no guard of the whole app, set up before or after this, keeps people from logging in.
        app.before_request_funcs.setdefault(None, []).insert(0, _first)
        startup.install(app)  # and before that, once, whether the app is fit to serve anything
        # Flask runs these in reverse order: last, so that no other extension changes the headers of our own pages.
        app.after_request_funcs.setdefault(None, []).insert(0, lambda response: _after_request(response, settings))
        _add_routes(app, state)
        if state.outbox is not None:
            state.checks["outbox"] = state.outbox.check
            # Not sooner: whoever sets up apps may fork after it.
            app.before_request(lambda: _start(app, cast("Outbox", state.outbox)))
        for kind in (HostError, LedgerError, MessageError, JIDError):
            app.register_error_handler(kind, _on_error)
        app.register_error_handler(401, auth.on_unauthorized)

    @property
    def state(self) -> State:
        """The current app's state."""
        try:
            return cast(State, current_app.extensions["miniapp"])
        except KeyError:
            raise ConfigurationError(
                [Problem("MiniApp", "is not set up for this app.", "Call miniapp.init_app(app).")]
            ) from None

    @property
    def client(self) -> OneChat:
        """The current app's client of OneChat."""
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
        """The current app's settings."""
        return self.state.settings

    def ready_check(self, app: Flask, name: str, check: Check) -> None:
        """Makes `/readyz` call `check`; what it raises makes the answer 503.

        The host's state is no such check: while the host is away, users who are logged in are still served.
        """
        cast(State, app.extensions["miniapp"]).checks[name] = check


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


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


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
    return Outbox(settings, client, owner=lambda: auth.current_user.jid if has_request_context() else "")


def _blueprint(state: State) -> Blueprint:
    blueprint = Blueprint(BLUEPRINT, __name__, template_folder="templates")
    prefix = state.settings.url_prefix
    blueprint.add_url_rule(f"{prefix}/session", "session", auth.session_endpoint, methods=["POST", "DELETE"])
    shim.register(blueprint, state.shim)
    if state.outbox is not None:
        blueprint.add_url_rule(f"{prefix}/outbox/<int:bulk>", "outbox", _progress)
    blueprint.add_url_rule("/healthz", "healthz", _healthz)
    blueprint.add_url_rule("/readyz", "readyz", _readyz)
    return blueprint


def _add_routes(app: Flask, state: State) -> None:
    """Add the framework's routes at every host name and subdomain that the app answers to."""
    app.register_blueprint(_blueprint(state))
    if not (app.url_map.host_matching or app.subdomain_matching):
        return
    # A rule without a host matches none of the others. The argument that a rule for all needs is no view's business.
    for rule in list(app.url_map.iter_rules()):
        if rule.endpoint.startswith(f"{BLUEPRINT}."):
            view, methods = app.view_functions[rule.endpoint], sorted(rule.methods or ())
            where: dict[str, Any] = {"host" if app.url_map.host_matching else "subdomain": f"<{ANYWHERE}>"}
            app.add_url_rule(rule.rule, rule.endpoint, view, methods=methods, **where)
    app.url_value_preprocessor(lambda _endpoint, values: values and values.pop(ANYWHERE, None))


def _first() -> ResponseReturnValue | None:
    """Answer a request to the framework's own routes; refuse a forged one to any other.

    The former have protections of their own, so that guards of the whole app don't run for them. Flask keeps what a
    request knows of its user in `g`, which an app context that is open around it (in tests, say) shares with others.
    """
    g.__dict__.pop("_login_user", None)
    rule = request.url_rule
    if rule is None or not rule.endpoint.startswith(f"{BLUEPRINT}."):
        return auth.refuse_forged()
    if request.method == "OPTIONS":
        return None
    view = current_app.view_functions[rule.endpoint]
    return cast(ResponseReturnValue, current_app.ensure_sync(view)(**(request.view_args or {})))


def _state() -> State:
    return cast(State, current_app.extensions["miniapp"])


def _script(*, login: bool = False) -> Markup:
    """`{{ miniapp_script() }}`: the tag that loads the shim, integrity, nonce and what it must know of the page."""
    attributes: dict[str, str] = {}
    if login:
        attributes["data-login"] = ""
        if current_app.debug and (phones := _phones(_state().settings)):
            attributes["data-phones"] = phones
        if texts.translates():
            attributes["data-texts"] = json.dumps({code: texts.text(code) for code in texts.SHIM})
    elif auth.current_user.is_authenticated:
        attributes["data-jid"] = auth.current_user.jid
        attributes["data-left"] = str(max(0, int(auth.current_user.expires_at - time.time())))
    nonce: Any = headers.nonce if login else current_app.jinja_env.globals["csp_nonce"]
    return shim.script_tag(_state().shim, nonce(), attributes)


def _phones(settings: Settings) -> str | None:
    """Return where the local OneChat's phones are, if that is what this app runs in."""
    return next((f"{origin}/" for origin in settings.container_origins if ".localhost:" in origin), None)


@functools.lru_cache(maxsize=64)
def _log_once(logger: logging.Logger, message: str) -> None:
    logger.error(message)


def _start(app: Flask, outbox: Outbox) -> None:
    """Starts this process's sending thread. Pages are served although the ledger can't be opened."""
    try:
        outbox.start()
    except MiniAppError as error:
        _log_once(app.logger, f"The outbox can't start. {error}")
    except Exception:  # no more threads, say
        app.logger.exception("The outbox can't start.")


@auth.login_required
def _progress(bulk: int) -> Response:
    """How far a bulk is, for its owner alone; to others it doesn't exist."""
    outbox = _state().outbox
    assert outbox is not None  # its route would not be there
    from .outbox import NoBulkError

    try:
        progress = outbox.progress(bulk)
    except NoBulkError:
        progress = None
    if progress is None or progress.owner != auth.current_user.jid:
        return auth.error(404, "outbox_bulk", "There is no such bulk of yours.", "Ask for one that you have sent.")
    shown = ("id", "state", "total", "waiting", "sent", "refused", "unknown", "created_at", "done_at")
    document = progress.as_dict()
    return jsonify({name: document[name] for name in shown})


def _healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


def _readyz() -> Response:
    """The process can do its work: every `ready_check` passes."""
    failed = []
    for name, check in _state().checks.items():
        try:
            check()
        except Exception:  # whatever a check raises is its answer
            current_app.logger.exception("Not ready: %s", name)
            failed.append(name)
    response = jsonify(status="not ready" if failed else "ready", failed=failed)
    response.status_code = 503 if failed else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _after_request(response: Response, settings: Settings) -> Response:
    if request.blueprint == BLUEPRINT or "miniapp.login_page" in request.environ:
        headers.secure(response, settings, replace=True)
    elif settings.headers == "app":
        headers.secure(response, settings)
    if "miniapp.logged_out" in request.environ:
        _state().logins.cookie.delete(response)
    if "_login_user" in g.__dict__:  # `in g` goes through a proxy, and this runs after each request of the app
        # This answer depends on who asked: no cache may give it to somebody else (CVE-2023-30861).
        if "Vary" in response.headers:
            response.vary.update(("Cookie", "Authorization"))
        else:
            response.headers["Vary"] = "Cookie, Authorization"
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _on_error(problem: MiniAppError) -> Response:
    if isinstance(problem, HostError):
        return auth.host_error(problem)
    if isinstance(problem, LedgerError):
        current_app.logger.error("%s: %s", problem.code, problem)
        return auth.error(503, "outbox_database", problem.message, problem.hint, auth.RETRY_AFTER)
    return auth.error(400, problem.code, problem.message, problem.hint)
