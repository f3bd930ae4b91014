"""Who may talk to the sandbox: no foreign host name (DNS rebinding), no foreign page, the controls by token only."""

from __future__ import annotations

import hmac

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized

from ... import contract
from ..config import HOST_NAME, SandboxConfig
from .state import sandbox

TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 (its name, not its value)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_TOKEN_GUARDED = ("/phones/", "/_sandbox/")
_OPEN = "/ocwp/"  # the chat plugin's files, which pages of any origin load
_SAFE = ("GET", "HEAD", "OPTIONS")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",  # a mini app's payment window answers its opener
    "Origin-Agent-Cluster": "?1",  # a mini app on a sister name can't reach in by document.domain
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: https: http:; frame-src http: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of our own pages: mini apps are framed, their icons shown, no inline script runs."""


def install(app: Flask, config: SandboxConfig) -> None:
    """Guard every request of `app`."""
    trusted = {*LOOPBACK, HOST_NAME, *(name.lower() for name in config.trusted_hosts)}
    app.before_request(lambda: _check(trusted))
    app.after_request(_harden)
    # One byte more than is taken: Werkzeug cuts a chunked body off at its limit, in silence; bodies.py refuses it.
    app.config["MAX_CONTENT_LENGTH"] = contract.BODY_MAX_BYTES + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = contract.BODY_MAX_BYTES


def host_name() -> str:
    """Return the host name that the current request names, in lower case and without its port."""
    name, colon, port = request.host.lower().rpartition(":")
    return name if colon and port.isdigit() else request.host.lower()


def _check(trusted: set[str]) -> None:
    if host_name() not in trusted:  # not Flask's TRUSTED_HOSTS: it knows no IPv6 address
        raise BadRequest(f"The sandbox doesn't answer at this host name. Open it at {HOST_NAME}.")
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.lower() != f"{request.scheme}://{request.host}".lower()
    site = request.headers.get("Sec-Fetch-Site", "none")
    elsewhere = site not in ("same-origin", "none")
    if request.method in _SAFE:
        # A link from elsewhere may lead to our pages; nothing else may load them, and no link leads to data.
        link = request.headers.get("Sec-Fetch-Mode") == "navigate" and not _is_data(request.path)
        refused = elsewhere and not link and not request.path.startswith(_OPEN)
    else:
        refused = foreign or elsewhere
    if refused:
        raise Forbidden("The request comes from a page of another origin. The sandbox answers its own pages only.")
    if request.path.startswith(_TOKEN_GUARDED):
        given = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, sandbox().config.token.encode()):
            raise Unauthorized(
                f"The header {TOKEN_HEADER} is missing or wrong. Load the page again: each run has its own."
            )


def _is_data(path: str) -> bool:
    return path.startswith((*_TOKEN_GUARDED, "/onechat/"))


def _harden(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # static/ may be kept if it is asked after; everything else shows the state of the moment
    response.headers.setdefault("Cache-Control", "no-store")
    return response
