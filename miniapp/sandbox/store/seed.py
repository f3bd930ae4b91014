"""The people and groups that a fresh sandbox starts with, from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import jid
from ...errors import JIDError, MiniAppError

if TYPE_CHECKING:
    from . import Store

PACKAGED = Path(__file__).parent.parent / "seed.toml"


def plant(store: Store, path: str | Path | None) -> None:
    """Add what the file at `path` lists to an empty `store`; by itself the packaged one."""
    source = Path(path or PACKAGED)
    try:
        seed = tomllib.loads(source.read_text("utf-8"))
        for user in seed.get("users", ()):
            store.users.add(user["name"], _address(user["local"], store.domain), admin=user.get("admin", False))
        for group in seed.get("groups", ()):
            members = [_address(local, store.domain) for local in group["members"]]
            address = jid.group(f"{group['local']}@muc.{store.domain}")
            store.mail.create_group(_address(group["owner"], store.domain), members, group["name"], address)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JIDError) as error:
        raise MiniAppError(
            f"The seed {source} can't be used: {_reason(error)}.",
            hint="Its form is that of the packaged seed.toml.",
            code="seed",
        ) from error


def _address(local: Any, domain: str) -> str:
    return jid.user(f"{local}@{domain}")


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
