"""Opening a mini app for a user: the URL with launch data, on a host name of the user's own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .config import HOST_NAME
from .fields import is_loopback
from .store.records import App, User

DEVICE_FIELDS = ("device", "os", "screenWidth", "screenHeight")
_HASHED = re.compile(r"-[0-9a-f]{16}\Z")


def slug(jid: str) -> str:
    """A DNS label for the user `jid`, which no other user has: the local part itself wherever it can be one."""
    local = jid.partition("@")[0]
    label = re.sub(r"[^a-z0-9]+", "-", local).strip("-")
    if label == local and len(label) <= 63 and not _HASHED.search(label):  # 63: RFC 1035, 2.3.4
        return label
    # 64 bits of a hash; no plain label ends like this, so none can be made to meet it
    return f"{label[:46].rstrip('-') or 'user'}-{hashlib.sha256(local.encode()).hexdigest()[:16]}"


def address(app: App, user: User) -> tuple[str, str]:
    """URL and origin at which `user` opens `app`; on loopback with a host name, so a cookie jar, of the user's own."""
    parts = urlsplit(app.url)
    netloc = parts.netloc
    if is_loopback(parts.hostname or ""):
        netloc = f"{slug(user.jid)}.{HOST_NAME}" + (f":{parts.port}" if parts.port else "")
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, "")), f"{parts.scheme}://{netloc.lower()}"


def launch(*, app: App, user: User, session_id: str, host: str, device: dict[str, str]) -> dict[str, str]:
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
    url, origin = address(app, user)
    return {"url": f"{url}#oc={packed}", "origin": origin}
