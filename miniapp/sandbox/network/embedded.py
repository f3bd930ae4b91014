"""The embedded network: SQLite for what was, a list of listeners for what comes. Nothing to install."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from ..store import Store
from ..store.messages import Carried
from ..store.records import NotFound
from . import Delivered, Group, Listener, Message, Network, Sender, Thread, check_text


class EmbeddedNetwork(Network):
    """A network in this process, whose memory is `store`."""

    def __init__(self, store: Store) -> None:
        self._mail = store.messages
        self._domain = store.domain
        self._listeners: list[tuple[str | None, Listener]] = []
        # Held from writing a message until every listener has it: so all get the messages in one order.
        self._order = threading.Lock()

    def direct(self, sender: Sender, to: str, text: str) -> Message:
        return self._carry(text, lambda: self._mail.direct(sender, to, text))

    def group(self, sender: Sender, group: str, text: str) -> Message:
        return self._carry(text, lambda: self._mail.group(sender, group, text))

    def broadcast(self, sender: Sender, domain: str, text: str) -> Message:
        if domain != self._domain:
            raise NotFound("There is no such domain here.", hint=f"This host serves {self._domain}.")
        return self._carry(text, lambda: self._mail.broadcast(sender, text))

    def create_group(self, owner: str, members: Iterable[str], name: str = "", group: str | None = None) -> Group:
        return self._mail.create_group(owner, members, name, group)[0]

    def groups(self, user: str | None = None) -> list[Group]:
        return self._mail.groups(user)

    def history(
        self, user: str, thread: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        return self._mail.history(user, thread, before, limit)

    def threads(self, user: str) -> list[Thread]:
        return self._mail.threads(user)

    def mark_read(self, user: str, thread: str) -> bool:
        return self._mail.mark_read(user, thread)

    def listen(self, listener: Listener, user: str | None = None) -> Callable[[], None]:
        entry = (user, listener)
        with self._order:
            self._listeners.append(entry)

        def stop() -> None:
            with self._order, suppress(ValueError):  # stopped twice: no harm
                self._listeners.remove(entry)

        return stop

    def reset(self, empty: Callable[[], None]) -> None:
        with self._order:  # listeners know what was written before; what waits for its turn is written after
            empty()

    def close(self) -> None:
        with self._order:
            self._listeners.clear()

    def _carry(self, text: str, write: Callable[[], Carried]) -> Message:
        check_text(text)
        with self._order:
            message, deliveries = write()
            self._tell(deliveries)
        return message

    def _tell(self, deliveries: Iterable[Delivered]) -> None:
        """Let everybody hear of it who listens; with `_order` held."""
        for delivered in deliveries:
            for user, listener in self._listeners:
                if user in (None, delivered.jid):
                    listener(delivered)
