"""The host page: where people see the phones."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..config import HOST_NAME
from .guard import LOOPBACK, PAGE_POLICY, host_name
from .state import sandbox

_BUILD = Path(__file__).parents[1] / "static" / "build"

_SOURCE = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")  # what can stand in a policy without ending it

bp = Blueprint("pages", __name__)


@bp.get("/")
def host_page() -> AnyResponse:
    """Answer with the phones. `?phones=alice,bob&open=app-1,apps` says whose, and what is open: its script reads it."""
    if elsewhere := off_site():
        return elsewhere
    if not (_BUILD / "host.js").is_file():
        return page("unbuilt.html", 503)
    response = page("host.html", styles=(_BUILD / "host.css").is_file(), app=sandbox().first_app)
    # Only reported, not refused: the host page then shows where a frame has gone (js/host/src/stray.ts).
    response.headers["Content-Security-Policy-Report-Only"] = f"frame-src {' '.join(_frame_sources())}"
    return response


@bp.get("/favicon.ico")
def icon() -> AnyResponse:
    """Answer with the sandbox's own icon."""
    return redirect(url_for("static", filename="icon.svg"))


def _frame_sources() -> list[str]:
    """Return the origins at which phones open mini apps."""
    own = [f"{scheme}://*.{HOST_NAME}:*" for scheme in ("http", "https")]
    others = {urlsplit(app.url)._replace(path="", query="").geturl() for app in sandbox().store.apps.all()}
    return own + sorted(origin for origin in others if _SOURCE.fullmatch(origin))


def page(template: str, status: int = 200, **values: object) -> Response:
    """One of the sandbox's own pages, with the token that its script needs."""
    host = sandbox()
    html = render_template(template, token=host.config.token, domain=host.domain, **values)
    return Response(html, status, headers={"Content-Security-Policy": PAGE_POLICY})


def off_site() -> AnyResponse | None:
    """Return a redirection to the name that browsers should use, if the page was opened at another.

    The mini apps are framed at names below it: from anywhere else they would be on another site, without cookies.
    """
    name = host_name()
    if name not in LOOPBACK:
        return None
    port = request.host[len(name) :]
    return redirect(f"{request.scheme}://{HOST_NAME}{port}{request.full_path.rstrip('?')}")
