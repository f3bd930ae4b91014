"""What one sandbox is made with, and what of it can be changed while it runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .network.xmpp.server import ServerSettings

HOST_NAME = "onechat.localhost"
"""Where browsers see the sandbox; each user's mini apps are on a name below it, and so on the same site."""


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """What one sandbox is made with.

    `database`: a file to keep everything in; None keeps it in memory. `domain`: the JIDs' domain; groups are on
    `muc.{domain}`. `seed`: a TOML file like the packaged `seed.toml`. `token`: what guards the controls.
    `approve`, `errors`, `sessions`, `session_lifetime`: see `Options`. `trusted_hosts`: host names beyond
    loopback's that requests may name. `clock`: seconds since 1970. `xmpp`: `off` is the embedded network, `prosody` one
    over a Prosody of our own, `auto` that if it is installed; or the settings of another server, whose domain the JIDs
    then have. `xmpp_directory` keeps Prosody's archives.
    """

    database: str | Path | None = None
    domain: str = HOST_NAME
    seed: str | Path | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    approve: Literal["at_once", "by_hand"] = "at_once"
    errors: Literal["as_http", "as_200"] = "as_http"
    sessions: Literal["host", "app"] = "host"
    session_lifetime: int = 24 * 3600  # a working day with room to spare: a session outlives what one does with it
    trusted_hosts: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time
    xmpp: Literal["off", "auto", "prosody"] | ServerSettings = "off"
    xmpp_directory: Path | None = None

    def __post_init__(self) -> None:
        if isinstance(self.xmpp, ServerSettings):
            object.__setattr__(self, "domain", self.xmpp.domain)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the host behaves; can be changed while it runs.

    `approve`: whether new apps are approved at once or by hand, in the admin portal. `errors`: whether the REST
    API's errors come with their HTTP status or with 200. `sessions`: whether a session ID is good for every app
    (`host`) or for the one it was issued for (`app`). `session_lifetime`: seconds a new session lasts.
    """

    approve: Literal["at_once", "by_hand"]
    errors: Literal["as_http", "as_200"]
    sessions: Literal["host", "app"]
    session_lifetime: int

    @classmethod
    def of(cls, config: SandboxConfig) -> Options:
        """Return the options that `config` starts with."""
        return cls(
            approve=config.approve,
            errors=config.errors,
            sessions=config.sessions,
            session_lifetime=config.session_lifetime,
        )
