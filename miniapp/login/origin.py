"""Whether an unsafe request comes from a page of the app's own (CSRF)."""

from __future__ import annotations

import functools
import logging
from urllib.parse import urlsplit

from flask import request

from ..settings import Settings

log = logging.getLogger(__name__)


def same_origin(settings: Settings) -> bool:
    """Return whether this request certainly comes from a page of ours. Others are logged, with what was compared.

    A browser names a POST's origin in `Origin`, newer ones also in `Sec-Fetch-Site`. TLS may end before us, so an
    `https` origin of our own host is ours even where the request arrives as `http`; the reverse is not. A proxy may
    name us otherwise than the browser does: that is what `ONECHAT_PUBLIC_URL` is for.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = {_origin(f"{request.scheme}://{request.host}"), _origin(f"https://{request.host}")}
    if settings.public_url:
        ours.add(_origin(settings.public_url))
    if site in (None, "same-origin") and (_origin(origin) in ours if origin is not None else site == "same-origin"):
        return True
    _log_refusal(request.path, origin, site, ", ".join(sorted(ours)))
    return False


@functools.lru_cache(maxsize=64)  # once for each kind of refusal: a page that keeps trying does not fill the log
def _log_refusal(path: str, origin: str | None, site: str | None, ours: str) -> None:
    log.warning(
        "Refused an unsafe request to %s: its Origin is %r (Sec-Fetch-Site: %r), ours are %s. "
        "Behind a proxy, pass the browser's Host on, or set ONECHAT_PUBLIC_URL.",
        path,
        origin,
        site,
        ours,
    )


def _origin(url: str) -> str:
    """Return the origin of `url` as browsers write it: in lower case, and without the scheme's own port."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return "malformed"
    return f"{parts.scheme}://{parts.netloc}".removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, "-"))
