"""The framework's JSON errors, and whether a request is a navigation."""

from __future__ import annotations

from flask import Response, current_app, jsonify, request

from . import texts
from .errors import HostBusy, HostError, HostNonsense, HostRefused

RETRY_AFTER = 5
"""Seconds after which to try again where the host is unreachable and named no time itself."""


def wants_page() -> bool:
    """Return whether this request is a navigation, rather than a call by a script."""
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate" or (mode != "websocket" and "text/html" in request.headers.get("Accept", ""))
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")


def error(status: int, code: str, message: str, hint: str = "", retry_after: float | None = None) -> Response:
    """Return an answer with the JSON body of the framework's errors: `{"error": {code, message, hint}}`.

    If users see errors of this code, `message` is a sentence for them. The developer's `message` and `hint` are then
    the body's `hint`, in debug mode only.
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
