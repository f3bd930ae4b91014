"""Host names."""

from __future__ import annotations


def is_loopback(hostname: str | None) -> bool:
    """Return whether `hostname`, in lower case and without brackets, certainly names this machine."""
    return hostname in ("localhost", "127.0.0.1", "::1") or (hostname or "").endswith(".localhost")
