"""What carries messages between people, and from mini apps' backends to people."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from ... import contract
from ...errors import MessageError
from ..store import Store
from ..store.messages import Carried
from ..store.records import Chat, Conflict, Delivered, Group, Invitation, Message, NotFound, Sender, Thread, User
from .relay import Relay

__all__ = ["Chat", "Delivered", "Group", "Message", "Network", "Sender", "Subscription", "Thread", "check_text"]

Listener = Callable[[Delivered], None]


class Network:
    """Direct messages, groups and broadcasts on one domain. All JIDs are bare and in canonical form.

    Delivery is local: `store` has what was, listeners get what comes. A `relay` beside it carries the same to other
    clients. Refusals are `NotFound`, `Forbidden` and, for a text that can't be sent, `MessageError`.
    """

    def __init__(self, store: Store, relay: Relay | None = None) -> None:
        self.relay = relay
        self._store = store
        self._messages = store.messages
        self._listeners: list[tuple[str | None, Listener]] = []
        self._invited: Callable[[str], None] = lambda _jid: None
        # Held from writing a message until every listener has it: so all get the messages in one order.
        self._order = threading.Lock()
        # Held from a change of the store until the relay has its order, and all through a reset: an order of before is
        # given to the relay of before, which ends with it. Never taken in the relay's own thread.
        self._steady = threading.Lock()

    def start(self) -> None:
        """Get ready to carry messages. Raises `MiniAppError` if the relay does not come up."""
        if self.relay is not None:
            self.relay.start(self._deliver, lambda jid: self._invited(jid))

    def close(self) -> None:
        """Stop, and let go of every subscription."""
        if self.relay is not None:
            self.relay.stop()
        with self._order:
            self._listeners.clear()

    def direct(self, sender: Sender, to: str, text: str) -> Message:
        """Send a message to the user `to`, from a person or, as an alert, from the host."""
        return self._carry(text, lambda: self._messages.direct(sender, to, text))

    def group(self, sender: Sender, group: str, text: str) -> Message:
        """Send a message to everybody in `group`, from one of its members or from the host."""
        return self._carry(text, lambda: self._messages.group(sender, group, text))

    def broadcast(self, sender: Sender, domain: str, text: str) -> Message:
        """Send a message from the host to every user of `domain`, each exactly once, those offline too."""
        if domain != self._store.domain:
            raise NotFound("There is no such domain here.", hint=f"This host serves {self._store.domain}.")
        return self._carry(text, lambda: self._messages.broadcast(sender, text))

    def create_group(self, owner: str, members: Iterable[str], name: str = "", group: str | None = None) -> Group:
        """Create a group; `owner` need not be among `members`.

        If there is a group with the JID `group`, it is opened instead, and nobody is invited twice.
        """
        with self._steady:
            made, new = self._messages.create_group(owner, members, name, group)
            if self.relay is not None and new:
                self.relay.provide(made, [jid for jid in new if jid != owner])
        return made

    def groups(self, user: str | None = None) -> list[Group]:
        """Every group, or those that `user` is in."""
        return self._messages.groups(user)

    def history(
        self, user: str, thread: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return the last `limit` messages that reached `user`, older than `before` if given; oldest first."""
        self._open(user)
        return self._messages.history(user, thread, before, limit)

    def threads(self, user: str) -> list[Thread]:
        """Return the conversations of `user`, the one with the newest message first."""
        self._open(user)
        return self._messages.threads(user)

    def mark_read(self, user: str, thread: str) -> bool:
        """Take all of `thread` as read by `user`. Says whether that changed anything."""
        return self._messages.mark_read(user, thread)

    def listen(self, listener: Listener, user: str | None = None) -> Callable[[], None]:
        """Call `listener` with what arrives from now on, with `user` or with anybody; returns what ends it.

        Calls come one at a time, in the order of the messages, and must be quick.
        """
        if user is not None:
            self._open(user)
        entry = (user, listener)
        with self._order:
            self._listeners.append(entry)

        def stop() -> None:
            with self._order, suppress(ValueError):  # stopped twice: no harm
                self._listeners.remove(entry)

        return stop

    def subscribe(self, user: str | None = None) -> Subscription:
        """Return a queue of what arrives from now on, for `user` or for everybody."""
        return Subscription(self, user)

    def listen_invitations(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with each user for whom there are other invitations than before. It must be quick."""
        self._invited = listener

    def invitations(self, user: str) -> list[Invitation]:
        """Return the invitations to groups that `user` has yet to answer; others are followed at once."""
        return self._store.invitations.pending(user)

    def answer(self, user: str, group: str, *, accept: bool) -> None:
        """Enter the group, or decline. Raises `NotFound` without an invitation, `Conflict` if it can't be entered."""
        invitation = self._store.invitations.answer(user, group, accept=accept)
        self._invited(user)
        if self.relay is not None:
            self.relay.answer(user, invitation, accept=accept)
            self._invited(user)

    def user_changed(self, user: User) -> None:
        """Take note that the user is new, or has a new name."""
        with self._steady:
            now = self._store.users.find(user.jid)
            if self.relay is not None and now is not None:  # else a reset came between
                self.relay.user_changed(now)

    def user_removed(self, jid: str) -> None:
        """Take note that the user `jid` is gone from the store."""
        with self._steady:
            if self.relay is not None and self._store.users.find(jid) is None:  # else a reset came between
                self.relay.user_removed(jid)

    def reset(self, empty: Callable[[], None]) -> None:
        """Have `empty` empty and seed the store while nothing is carried; nothing from before arrives after it."""

        def in_order() -> None:
            with self._order:  # listeners know what was written before; what waits for its turn is written after
                empty()

        with self._steady:
            if self.relay is not None:
                self.relay.reset(in_order)
            else:
                in_order()

    def restore(self) -> None:
        """Make files of the relay again that were removed while it runs. Raises `MiniAppError`."""
        if self.relay is not None:
            with self._steady:
                self.relay.restore()

    def chat(self, user: str) -> Chat:
        """Return how a chat client of `user` logs in for the next minutes. Raises `Conflict` where there is no XMPP."""
        if self.relay is None:
            raise Conflict("There is no XMPP server.", hint="Start the sandbox with --xmpp prosody.")
        return self.relay.chat(user)

    def _open(self, user: str) -> None:
        if self.relay is not None:
            self.relay.open(user)

    def _carry(self, text: str, write: Callable[[], Carried]) -> Message:
        check_text(text)
        with self._order:
            message, deliveries = write()
            self._tell(deliveries)
        if self.relay is not None:
            self.relay.wake()
        return message

    def _deliver(self, write: Callable[[], list[Delivered]]) -> None:
        with self._order:
            self._tell(write())

    def _tell(self, deliveries: Iterable[Delivered]) -> None:
        """Call each listener whom it concerns; with `_order` held."""
        for delivered in deliveries:
            for user, listener in self._listeners:
                if user in (None, delivered.jid):
                    listener(delivered)


class Subscription:
    """Live messages, in order: a context manager and an iterator, which ends when the subscription is closed."""

    def __init__(self, network: Network, user: str | None) -> None:
        self._queue: queue.SimpleQueue[Delivered | None] = queue.SimpleQueue()
        self._stop = network.listen(self._queue.put, user)

    def get(self, timeout: float | None = None) -> Delivered | None:
        """Return the next delivery, or None if the subscription is closed or `timeout` seconds have passed."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the subscription; a waiting `get` returns None."""
        self._stop()
        self._queue.put(None)

    def __iter__(self) -> Iterator[Delivered]:
        while (delivered := self.get()) is not None:
            yield delivered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_text(text: str) -> None:
    """Raise `MessageError` if `text` can't be a message."""
    if fault := contract.message_fault(text):
        raise MessageError(f"The message {fault}.")
