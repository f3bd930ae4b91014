"""An XMPP server that runs already, started by somebody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Self

from ....errors import Code, MiniAppError
from ...store.records import User
from .accounts import Accounts, Authority
from .server import ServerSettings

log = logging.getLogger("miniapp.sandbox.xmpp")


class ExternalServer:
    """The server that `settings` describe. It asks about `accounts` at `accounts_port`, see `extauth`."""

    is_own = False
    is_lost = False

    def __init__(self, settings: ServerSettings, accounts: Accounts) -> None:
        self.settings = settings
        self._authority: Authority | None = None
        if settings.accounts_port:
            self._authority = Authority(accounts, port=settings.accounts_port, secret=settings.accounts_secret)

    def start(self) -> Self:
        """Answer questions about accounts. Raises `MiniAppError` if the port is taken."""
        try:
            if self._authority:
                self._authority.start()
        except OSError as error:
            raise MiniAppError(
                f"Questions about accounts can't be answered on port {self.settings.accounts_port}: {error.strerror}.",
                hint="Set accounts_port to another, there and here.",
                code=Code.PORT,
            ) from None
        return self

    def stop(self) -> None:
        """Stop answering the server; it goes on running."""
        if self._authority:
            self._authority.stop()

    def renew(self, empty: Callable[[], None]) -> None:
        """Have `empty` empty the store. What the server keeps stays: see `Bridge.clear`."""
        empty()

    def tell(self, *, changed: Iterable[User] = (), removed: Iterable[str] = ()) -> None:
        """Nothing to do: the server asks at each login, and phones tell their users' names."""
