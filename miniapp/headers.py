"""Security headers fit for a page inside a container's frame."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from flask import Response, request

from .settings import Settings

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
    """The Content-Security-Policy of this request's page.

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


def secure(response: Response, settings: Settings) -> Response:
    """Adds the headers to `response`, leaving those alone that a view has set by itself."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not no-referrer: with it a form's POST would carry `Origin: null`, and the Origin check would refuse it.
    headers.setdefault("Referrer-Policy", "same-origin")
    # No Cross-Origin-Resource-Policy: OneChat's own pages show the app's icon. The shim has its own.
    if response.mimetype in ("text/html", "application/xhtml+xml", "image/svg+xml"):
        headers.setdefault("Content-Security-Policy", policy(settings))
    return response


def same_origin(settings: Settings) -> bool:
    """Whether this request surely comes from a page of ours.

    A browser names a POST's origin in `Origin`, newer ones also in `Sec-Fetch-Site`. TLS may end before us, so an
    `https` origin of our own host is ours even where the request arrives as `http`; the reverse is not. A proxy may
    name us otherwise than the browser does: hence `ONECHAT_PUBLIC_URL`.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return site == "same-origin"
    ours = {f"{request.scheme}://{request.host}".lower(), f"https://{request.host}".lower()}
    if settings.public_url:
        public = urlsplit(settings.public_url)
        ours.add(f"{public.scheme}://{public.netloc}".lower())
    return origin.lower() in ours
