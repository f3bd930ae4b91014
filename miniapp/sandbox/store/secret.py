"""Secrets: made at random, kept as digests."""

from __future__ import annotations

import hashlib
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits  # the sample key on OneChat's page has these alone
_LENGTH = 32  # of 62 characters: 190 bits, so a plain hash of it can't be guessed back


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def new_session_id() -> str:
    """Return a new session ID."""
    return f"s-{_random()}"


def handle(session_id: str) -> str:
    """Return the part of a session ID by which it is found; what is left, 160 bits of it, stays secret."""
    return session_id[:7]


def new_api_key() -> str:
    """Return a new API key."""
    return _random()


def new_password() -> str:
    """Return a new password."""
    return _random()


def new_app_id() -> str:
    """Return a new app ID."""
    return f"app-{secrets.token_hex(6)}"


def digest(secret: str) -> bytes:
    """Return what is kept of `secret`. Any text does, lone surrogates too: it comes from outside."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
