"""`create_sandbox(config)`: a local OneChat as a Flask app."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, InternalServerError

from ... import contract
from ...errors import JIDError, MessageError, MiniAppError
from ..config import SandboxConfig
from ..store.records import Refusal
from . import controls as control
from . import guard, openapi, phones, portal
from . import host_page as pages
from . import ocwp_files as ocwp
from . import rest_api as api
from .state import EXTENSION, Sandbox, sandbox

log = logging.getLogger("miniapp.sandbox")


def create_sandbox(config: SandboxConfig | None = None) -> Flask:
    """Return a local OneChat; several can live in one process.

    `miniapp.sandbox.sandbox_of(app)` is what is behind it; `.close()` that when done.
    """
    config = config or SandboxConfig()
    app = Flask("miniapp.sandbox", static_folder="static", template_folder="templates")
    app.extensions[EXTENSION] = Sandbox(config)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    guard.install(app, config)
    app.before_request(_begin)
    app.teardown_request(_end)
    for blueprint in (api.bp, openapi.bp, control.bp, phones.bp, portal.bp, ocwp.bp, pages.bp):
        app.register_blueprint(blueprint)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(JIDError, _refused)
    app.register_error_handler(MessageError, _refused)
    app.register_error_handler(MiniAppError, _unable)
    app.register_error_handler(HTTPException, _failed)
    app.register_error_handler(Exception, _broken)
    return app


def _begin() -> None:
    """Have what this request changes be refused once a reset came between. A request that only reads may go on."""
    if request.method != "GET":
        sandbox().store.enter()


def _end(_error: BaseException | None) -> None:
    sandbox().store.leave()


def _refused(refusal: Refusal | JIDError | MessageError) -> Response:
    status = refusal.status if isinstance(refusal, Refusal) else 400
    return _error(status, refusal.code, refusal.message, refusal.hint)


def _unable(error: MiniAppError) -> Response:
    log.error("the sandbox failed at %s: %s", request.path, error)
    return _error(500, error.code, error.message, error.hint)


def _failed(error: HTTPException) -> Response:
    status = error.code or 500
    words = error.description or error.name
    response = _error(status, error.name.lower().replace(" ", "_"), words)
    allowed = dict(error.get_headers()).get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def _broken(error: Exception) -> Response:
    log.error("the sandbox failed at %s", request.path, exc_info=error)
    return _failed(InternalServerError("The sandbox itself failed; its log has the reason."))


def _error(status: int, code: str, message: str, hint: str = "") -> Response:
    if request.path.startswith(f"{contract.API_PATH}/"):
        return api.error(status, f"{message} {hint}".rstrip())
    response = jsonify(error={"code": code, "message": message, "hint": hint})
    response.status_code = status
    return response
