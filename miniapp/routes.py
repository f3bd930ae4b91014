"""The framework's own routes: session, shim, progress of bulks, health."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from . import shim
from .errors import Code, NoBulkError
from .login.endpoint import session_endpoint
from .login.guard import login_required, refuse_forged
from .login.user import current_user
from .responses import error
from .state import State, state

BLUEPRINT = "miniapp"
ANYWHERE = "_miniapp_anywhere"


def _blueprint(found: State) -> Blueprint:
    blueprint = Blueprint(BLUEPRINT, __name__, template_folder="templates")
    prefix = found.settings.url_prefix
    blueprint.add_url_rule(f"{prefix}/session", "session", session_endpoint, methods=["POST", "DELETE"])
    shim.register(blueprint, found.shim)
    if found.outbox is not None:
        blueprint.add_url_rule(f"{prefix}/outbox/<int:bulk>", "outbox", _progress)
    blueprint.add_url_rule("/healthz", "healthz", _healthz)
    blueprint.add_url_rule("/readyz", "readyz", _readyz)
    return blueprint


def add_routes(app: Flask) -> None:
    """Add the framework's routes at every host name and subdomain that the app answers to."""
    app.register_blueprint(_blueprint(state(app)))
    if not (app.url_map.host_matching or app.subdomain_matching):
        return
    # A rule without a host matches none of the others. Views don't get the argument that a rule for all needs.
    for rule in list(app.url_map.iter_rules()):
        if rule.endpoint.startswith(f"{BLUEPRINT}."):
            view, methods = app.view_functions[rule.endpoint], sorted(rule.methods or ())
            where: dict[str, Any] = {"host" if app.url_map.host_matching else "subdomain": f"<{ANYWHERE}>"}
            app.add_url_rule(rule.rule, rule.endpoint, view, methods=methods, **where)
    app.url_value_preprocessor(lambda _endpoint, values: values and values.pop(ANYWHERE, None))


def answer_own() -> ResponseReturnValue | None:
    """Answer a request to the framework's own routes; refuse a forged one to any other.

    The framework's routes have their own protections, so the app's guards don't run for them. Flask-Login keeps the
    request's user in `g`, which requests share if an app context is open around them, as in tests.
    """
    g.__dict__.pop("_login_user", None)
    rule = request.url_rule
    if rule is None or not rule.endpoint.startswith(f"{BLUEPRINT}."):
        return refuse_forged()
    if request.method == "OPTIONS":
        return None
    view = current_app.view_functions[rule.endpoint]
    return cast(ResponseReturnValue, current_app.ensure_sync(view)(**(request.view_args or {})))


@login_required
def _progress(bulk: int) -> Response:
    """Answer with the progress of a bulk, to its owner only. For others it does not exist."""
    outbox = state().outbox
    assert outbox is not None  # its route would not be there
    try:
        progress = outbox.progress(bulk)
    except NoBulkError:
        progress = None
    if progress is None or progress.owner != current_user.jid:
        return error(404, Code.OUTBOX_BULK, "There is no such bulk of yours.", "Ask for one that you have sent.")
    shown = ("id", "state", "total", "waiting", "sent", "refused", "unknown", "created_at", "done_at")
    document = progress.as_dict()
    return jsonify({name: document[name] for name in shown})


def _healthz() -> Response:
    """Answer that the process is alive."""
    return jsonify(status="ok")


def _readyz() -> Response:
    """Answer 200 if every `ready_check` passes, else 503."""
    failed = []
    for name, check in state().checks.items():
        try:
            check()
        except Exception:  # any exception means not ready
            current_app.logger.exception("Not ready: %s", name)
            failed.append(name)
    response = jsonify(status="not ready" if failed else "ready", failed=failed)
    response.status_code = 503 if failed else 200
    response.headers["Cache-Control"] = "no-store"
    return response
