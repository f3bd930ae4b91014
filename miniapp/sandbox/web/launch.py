"""Opening a mini app for a user: the URL with launch data, on a host name of phone and app."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...hosts import is_loopback
from ..config import HOST_NAME
from ..store.records import App, User

DEVICE_FIELDS = ("device", "os", "screenWidth", "screenHeight")
LABEL_MAX = 63  # characters of a DNS label: RFC 1035, 2.3.4
_HASHED = re.compile(r"-[0-9a-f]{16}\Z")


def user_label(jid: str) -> str:
    """Return a DNS label for the user `jid` that no other user has: the local part itself wherever it can be one."""
    local = jid.partition("@")[0]
    label = _plain(local)
    if label == local and len(label) <= LABEL_MAX and not _HASHED.search(label):
        return label
    # No plain label ends like this, so none can be made to meet it.
    return f"{label[:46].rstrip('-') or 'user'}-{_digest(local)}"


def app_label(app: App) -> str:
    """Return a DNS label for `app` that no other app has, also none that is registered after this one is gone."""
    return f"{_plain(app.name.lower())[:46].rstrip('-') or 'app'}-{_digest(app.app_id)[:8]}"


def address(app: App, user: User, phone: int = 1) -> tuple[str, str]:
    """Return URL and origin at which `user` opens `app` on one of their phones, the first or another one.

    On loopback the host name is this phone's and this app's own: cookies ignore ports, so a shared name is a shared
    cookie jar, and frames of one tab with one origin share their storage.
    """
    parts = urlsplit(app.url)
    netloc = parts.netloc
    if is_loopback(parts.hostname or ""):
        port = f":{parts.port}" if parts.port else ""
        device = f"phone{phone}." if phone > 1 else ""
        netloc = f"{device}{user_label(user.jid)}.{app_label(app)}.{HOST_NAME}{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, "")), f"{parts.scheme}://{netloc.lower()}"


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]  # 64 bits: told apart, not authenticated


def launch(
    *, app: App, user: User, session_id: str, host: str, device: dict[str, str], phone: int = 1
) -> dict[str, str]:
    """`url`, with the launch data in its fragment, and `origin`, as docs/protocol.md has them."""
    data: dict[str, Any] = {
        "v": 1,
        "host": host,
        "app": {"id": app.app_id, "name": app.name},
        "sessionId": session_id,
        "vCard": {"jid": user.jid, "userName": user.name, "avatar": user.avatar},
        "device": device,
    }
    packed = base64.urlsafe_b64encode(json.dumps(data, ensure_ascii=False).encode()).decode().rstrip("=")
    url, origin = address(app, user, phone)
    return {"url": f"{url}#oc={packed}", "origin": origin}
