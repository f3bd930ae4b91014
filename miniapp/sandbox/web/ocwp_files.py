"""The chat plugin's files, for any web page; its configuration names the server behind this sandbox."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify, send_from_directory

from ..store.records import NotFound
from .state import sandbox

PREFIX = "/ocwp"
FILES = Path(__file__).parents[1] / "static" / "build" / "ocwp"

bp = Blueprint("ocwp", __name__, url_prefix=PREFIX)


@bp.get("/config/config.json")
def config() -> Response:
    """Answer with what the plugin needs to know of the server: `confPath` is the folder of this. 409 without XMPP."""
    host = sandbox()
    users = host.store.users.page(limit=1)
    if not users:
        raise NotFound("There are no users yet, so nobody can chat.", hint="Add one in the portal.")
    # The network tells its address along with a login; this one's password goes nowhere, and is soon void.
    service = host.network.chat(users[0].jid).service
    return jsonify(service=service, domain=host.domain, groups=host.group_domain)


@bp.get("/<path:name>")
def file(name: str) -> Response:
    """`ocwp.js`, `ocwp.mjs`, `ocwp.d.ts` and `locale/*.json`."""
    return send_from_directory(FILES, name)


@bp.after_request
def _for_any_page(response: Response) -> Response:
    # Nothing in these files is anybody's, and pages of other origins are what they are for.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
