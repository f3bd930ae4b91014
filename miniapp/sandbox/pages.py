"""The host page: where people see the phones."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .config import HOST_NAME
from .guard import LOOPBACK, PAGE_POLICY, host_name
from .state import sandbox

_BUILD = Path(__file__).parent / "static" / "build"

bp = Blueprint("pages", __name__)


@bp.get("/")
def host_page() -> AnyResponse:
    """The phones. `?phones=alice,bob` says whose; the page's script reads it."""
    if elsewhere := off_site():
        return elsewhere
    if not (_BUILD / "host.js").is_file():
        return page("unbuilt.html", 503)
    return page("host.html", styles=(_BUILD / "host.css").is_file())


@bp.get("/favicon.ico")
def icon() -> AnyResponse:
    return redirect(url_for("static", filename="icon.svg"))


def page(template: str, status: int = 200, **values: object) -> Response:
    """One of the sandbox's own pages, with the token that its script needs."""
    host = sandbox()
    html = render_template(template, token=host.config.token, domain=host.domain, **values)
    return Response(html, status, headers={"Content-Security-Policy": PAGE_POLICY})


def off_site() -> AnyResponse | None:
    """A redirection to the name that browsers should use, if the page was opened at another.

    The mini apps are framed at names below it: from anywhere else they would be on another site, without cookies.
    """
    name = host_name()
    if name not in LOOPBACK:
        return None
    port = request.host[len(name) :]
    return redirect(f"{request.scheme}://{HOST_NAME}{port}{request.full_path.rstrip('?')}")
