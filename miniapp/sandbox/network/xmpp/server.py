"""Which XMPP server carries the messages, and how to reach it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol

from ....errors import Code, MiniAppError
from ....hosts import is_loopback
from ...store.records import User

Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """An XMPP server, whoever runs it.

    `domain`: the users'. `groups`, `alerts`: the domains of group chats and of what the host sends, `muc.{domain}` and
    `alerts.{domain}` if left out. `component_*`: where and by what secret the host connects (XEP-0114). `c2s_*`: where
    clients connect; `c2s_tls` is `starttls` or, on this machine only, `none`. `websocket`, `bosh`: URLs for clients in
    browsers. `accounts_*`: where the server asks us about accounts, see `accounts`.
    """

    domain: str
    component_secret: str = field(repr=False)
    component_host: str = "127.0.0.1"
    component_port: int = 5347
    c2s_host: str = "127.0.0.1"
    c2s_port: int = 5222
    c2s_tls: Literal["starttls", "none"] = "starttls"
    websocket: str = ""
    bosh: str = ""
    groups: str = ""
    alerts: str = ""
    accounts_port: int = 0
    accounts_secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", self.groups or f"muc.{self.domain}")
        object.__setattr__(self, "alerts", self.alerts or f"alerts.{self.domain}")

    @property
    def component(self) -> Address:
        """The address of the port for components."""
        return self.component_host, self.component_port

    @property
    def c2s(self) -> Address:
        """The address of the port for clients."""
        return self.c2s_host, self.c2s_port

    @property
    def addresses(self) -> list[tuple[str, str]]:
        """Name where clients connect, in rows for a person to read."""
        tls = "without TLS" if self.c2s_tls == "none" else "with STARTTLS"
        rows = [
            ("XMPP domain", self.domain),
            ("XMPP clients", f"{self.c2s_host} port {self.c2s_port}, {tls}"),
            ("XMPP by WebSocket", self.websocket),
            ("XMPP by BOSH", self.bosh),
        ]
        return [(name, address) for name, address in rows if address]


class Server(Protocol):
    """A running XMPP server, as the network needs it.

    `is_own`: whether nobody but this host uses it. Then `tell` ends the streams of those who were removed, and `renew`
    leaves nothing of before; with another server the host asks for what it may.
    """

    is_own: bool

    @property
    def settings(self) -> ServerSettings: ...

    def start(self) -> Any:
        """Return once it can be connected to."""

    def stop(self) -> None: ...

    def renew(self, empty: Callable[[], None]) -> None:
        """Have `empty` empty the store; a server of our own is stopped meanwhile, and then starts without its data."""

    @property
    def is_lost(self) -> bool:
        """Tell whether its files were removed while it runs, so that it has to be started again."""

    def tell(self, *, changed: Iterable[User] = (), removed: Iterable[str] = ()) -> None:
        """Tell the server which users are new or changed, and which were removed."""


def read_settings(path: Path) -> ServerSettings:
    """Return the settings in the TOML file at `path`. Raises `MiniAppError` with every problem that there is."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from None
    kinds = {one.name: int if one.type == "int" else str for one in fields(ServerSettings)}
    problems = [f"{name}: there is no such setting" for name in given if name not in kinds]
    problems += [f"{name}: is missing" for name in ("domain", "component_secret") if not given.get(name)]
    problems += [
        f"{name}: is not {'a number' if kind is int else 'text'}"
        for name, kind in kinds.items()
        if name in given and type(given[name]) is not kind
    ]
    if given.get("c2s_tls", "starttls") not in ("starttls", "none"):
        problems.append("c2s_tls: is neither starttls nor none")
    elif given.get("c2s_tls") == "none" and not is_loopback(str(given.get("c2s_host", "127.0.0.1"))):
        problems.append("c2s_tls: passwords would leave this machine in clear; use starttls")
    if problems:
        raise _unusable(path, "; ".join(problems))
    return ServerSettings(**given)


def _unusable(path: Path, why: str) -> MiniAppError:
    return MiniAppError(
        f"The XMPP settings in {path} can't be used: {why.rstrip('.')}.",
        hint="`miniapp docs xmpp` lists the settings.",
        code=Code.XMPP_SETTINGS,
    )
