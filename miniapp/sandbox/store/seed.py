"""The people and groups that a fresh sandbox starts with, from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ... import jid
from ...errors import Code, JIDError, MiniAppError
from .messages import Messages
from .users import Users

PACKAGED = Path(__file__).parent.parent / "seed.toml"


def load_seed(path: str | Path | None, domain: str, users: Users, messages: Messages) -> None:
    """Add the people and groups that the TOML file at `path` lists, by default the packaged one, to an empty store.

    Raises `MiniAppError` with the code `seed`.
    """
    source = Path(path or PACKAGED)
    try:
        seed = tomllib.loads(source.read_text("utf-8"))
        for user in seed.get("users", ()):
            users.add(user["name"], _address(user["local"], domain), admin=user.get("admin", False))
        for group in seed.get("groups", ()):
            members = [_address(local, domain) for local in group["members"]]
            address = jid.group(f"{group['local']}@muc.{domain}")
            messages.create_group(_address(group["owner"], domain), members, group["name"], address)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JIDError) as error:
        raise MiniAppError(
            f"The seed {source} can't be used: {_reason(error)}.",
            hint="Its form is that of the packaged seed.toml.",
            code=Code.SEED,
        ) from error


def _address(local: Any, domain: str) -> str:
    return jid.user(f"{local}@{domain}")


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
