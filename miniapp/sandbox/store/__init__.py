"""The sandbox's state: users, sessions, apps, groups and messages, in SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .apps import Apps
from .invitations import Invitations
from .messages import Messages
from .passwords import Passwords
from .seed import load_seed
from .sessions import Sessions
from .stanzas import Stanzas
from .tables import Database
from .users import Users


class Store:
    """All that the sandbox remembers, in the file `database` or, without one, in memory.

    Each method of its parts is one transaction. An empty store is seeded from the TOML file `seed`.
    """

    def __init__(
        self,
        database: str | Path | None = None,
        *,
        domain: str,
        seed: str | Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.domain = domain
        self._seed = seed
        self._database = Database(database)
        self.users = Users(self._database, domain)
        self.sessions = Sessions(self._database, clock)
        self.apps = Apps(self._database, clock)
        self.messages = Messages(self._database, domain, clock)
        self.invitations = Invitations(self._database, clock)
        self.passwords = Passwords(self._database)
        self.stanzas = Stanzas(self._database)
        try:
            with self._database.transaction():
                if not self.users.count():
                    load_seed(seed, self.domain, self.users, self.messages)
        except BaseException:
            self.close()
            raise

    def reset(self) -> None:
        """Forget everything and seed again, at once or not at all."""
        with self._database.emptied():
            load_seed(self._seed, self.domain, self.users, self.messages)
            self.apps.forget_keys()

    def enter(self) -> None:
        """Begin a task in this thread that must not outlast a reset: from then on it is refused by `Conflict`."""
        self._database.enter()

    def leave(self) -> None:
        """End the task of this thread."""
        self._database.leave()

    def restore(self) -> None:
        """Write the database to its file again if that was removed."""
        self._database.restore()

    def close(self) -> None:
        """Close the database."""
        self._database.close()
