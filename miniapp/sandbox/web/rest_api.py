"""OneChat's REST API, `/onechat/api/*`: parse and answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from ... import contract
from ..network import Network, Sender
from ..store.records import App, Forbidden, Refusal
from .connection_faults import Hang, Reset
from .faults import How, Status
from .parsing import BadBody, any_body
from .state import Sandbox, sandbox
from .validation import check_field

UNAUTHORIZED = "Unauthorized"  # OneChat's word for it

Handler = Callable[[Sandbox, dict[str, Any]], Response]

bp = Blueprint("api", __name__, url_prefix=contract.API_PATH)


class Denied(Refusal):
    """The credentials are not good."""

    status = 401


@bp.post("/<call>")
def handle(call: str) -> Response:
    """Answer one call."""
    if call not in contract.CALLS:
        return error(404, f"There is no call {call[:64]!r}." if call.isprintable() else "There is no such call.")
    host = sandbox()
    problem: BadBody | None = None
    body: dict[str, Any] = {}
    try:
        body = any_body()
    except BadBody as unreadable:
        problem = unreadable
    if call == "registerMiniApp" and "adminJid" not in body and ("appId" in body or "apiKey" in body):
        call = "authenticateUser"  # OneChat's page prints this URL for both
    if fault := host.faults.take(call):
        return _fail(host, fault)
    try:
        if problem:
            raise problem
        return _HANDLERS[call](host, body)
    except Refusal as refusal:
        return error(refusal.status, str(refusal))


def error(status: int, description: str, **headers: str) -> Response:
    """Return an error as OneChat documents it, with its HTTP status or, by the option `errors`, with 200."""
    if sandbox().options.errors == "as_200":
        status = 200
    return _answer(status, {"status": contract.ERROR, "description": description}, **headers)


def _success(**extra: str) -> Response:
    return _answer(200, {"status": contract.SUCCESS, "description": contract.DESCRIPTION_OK, **extra})


def _answer(status: int, body: dict[str, str], **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, mimetype="application/json")


def _alert(call: str, to: str, way: Callable[[Network], Callable[[Sender, str, str], object]]) -> Handler:
    """Return the view of `call`: a message from an app's backend to its field `to`, by that `way` of the network."""

    def handler(host: Sandbox, body: dict[str, Any]) -> Response:
        app = _sender(host)
        values = _fields(call, body)
        try:
            way(host.network)(host.sender(app), values[to], values["message"])
        except Refusal as refusal:
            refusal.message = f"{to}: {refusal.message}"
            raise
        return _success()

    return handler


def _register(host: Sandbox, body: dict[str, Any]) -> Response:
    values = _fields("registerMiniApp", body)
    if host.store.sessions.check(values["adminJid"], values["sessionId"]) is None:
        raise Denied(UNAUTHORIZED)
    if not host.store.users.get(values["adminJid"]).admin:
        raise Forbidden(f"{UNAUTHORIZED}: adminJid is not an administrator")
    registered = host.register(
        name=values["appName"], icon=values["appIcon"], url=values["appUrl"], admin=values["adminJid"]
    )
    return _success(appId=registered.app.app_id, apiKey=registered.api_key)


def _authenticate(host: Sandbox, body: dict[str, Any]) -> Response:
    values = _fields("authenticateUser", body)
    app = _approved(host.store.apps.by_key(values["apiKey"]))
    if app.app_id != values["appId"]:
        raise Denied(UNAUTHORIZED)
    session = host.store.sessions.check(values["jid"], values["sessionId"])
    valid = session is not None and (host.options.sessions == "host" or session.app_id == app.app_id)
    return _success(isAuthenticated=str(valid))


_HANDLERS: dict[str, Handler] = {
    "massBroadcast": _alert("massBroadcast", "domain", lambda network: network.broadcast),
    "singleMessage": _alert("singleMessage", "jid", lambda network: network.direct),
    "groupMessage": _alert("groupMessage", "jid", lambda network: network.group),
    "registerMiniApp": _register,
    "authenticateUser": _authenticate,
}


def _sender(host: Sandbox) -> App:
    return _approved(host.store.apps.by_key(request.headers.get(contract.APIKEY_HEADER, "")))


def _approved(app: App | None) -> App:
    if app is None:
        raise Denied(UNAUTHORIZED)
    if app.status != "approved":
        raise Forbidden(f"{UNAUTHORIZED}: the app is {app.status}")
    return app


def _fields(call: str, body: dict[str, Any]) -> dict[str, str]:
    return {field.name: check_field(field.name, field.kind, body) for field in contract.CALLS[call].fields}


def _fail(host: Sandbox, how: How) -> Response:
    match how:
        case Status(status, body):
            text = body if isinstance(body, str) else json.dumps(body)
            return Response(text, status, mimetype="text/plain" if isinstance(body, str) else "application/json")
        case "hang":
            return Hang(host.faults.released)
        case "reset":
            return Reset()
        case "html":
            return Response("<!doctype html><title>Bad Gateway</title><h1>502 Bad Gateway</h1>", 502)
        case "busy":
            return error(429, "Too many calls.", **{"Retry-After": "1"})
        case _:
            return error(400, "The sandbox was told to fail this call.")
