"""Security headers fit for a page inside a container's frame."""

from __future__ import annotations

import re
import secrets

from flask import Response, request

from ..settings import Settings

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")


def nonce() -> str:
    """This request's CSP nonce.

    Where cookies are blocked the shim fetches a page with the bearer and writes it into the document that it runs in,
    whose policy stays in force; so for a good bearer (`load_user` has noted it) the page takes that document's nonce.
    """
    environ = request.environ
    if "miniapp.nonce" not in environ:
        sent = request.headers.get("X-OC-Nonce", "") if "miniapp.bearer" in environ else ""
        environ["miniapp.nonce"] = sent if _NONCE.match(sent) else secrets.token_urlsafe(16)
    return str(environ["miniapp.nonce"])


def policy(settings: Settings) -> str:
    """Return the Content-Security-Policy of this request's page.

    No frames inside it: a container's native bridge reaches every frame of a page. Images also from `https:` and
    `data:`, since that is where avatars are.
    """
    ancestors = " ".join(settings.container_origins) or "'self'"
    return (
        "default-src 'self'; "
        f"script-src 'self' 'nonce-{nonce()}'; "
        f"style-src 'self' 'nonce-{nonce()}'; "
        "img-src 'self' data: https:; "
        "frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )


def secure(response: Response, settings: Settings, *, replace: bool = False) -> None:
    """Add the headers to `response`, and leave those alone that are there unless `replace` is true."""
    # Not no-referrer: with it a form's POST would carry `Origin: null`, and the Origin check would refuse it.
    ours = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    # No Cross-Origin-Resource-Policy: OneChat's own pages show the app's icon. The shim has its own.
    if response.mimetype in ("text/html", "application/xhtml+xml", "image/svg+xml"):
        ours["Content-Security-Policy"] = policy(settings)
    if replace:
        response.headers.pop("X-Frame-Options", None)  # the policy says who may show the page
        response.headers.update(ours)
    else:
        for name, value in ours.items():
            response.headers.setdefault(name, value)
