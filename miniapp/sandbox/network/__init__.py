"""What carries messages between people, and from mini apps' backends to people.

One interface, several implementations; `tests/support/network_suite.py` is what each of them must pass. They
refuse by raising `Refusal` (`NotFound`, `Forbidden`) and, for a text that can't be sent, `MessageError`.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from ... import contract
from ...errors import MessageError
from ..store.records import Chat, Conflict, Delivered, Group, Invitation, Message, NotFound, Sender, Thread, User
from .server import ServerSettings

__all__ = ["Chat", "Delivered", "Group", "Message", "Network", "Sender", "Subscription", "Thread", "check_text"]

Listener = Callable[[Delivered], None]


class Network(ABC):
    """Direct messages, groups and broadcasts on one domain. All JIDs are bare and in canonical form."""

    @property
    def server(self) -> ServerSettings | None:
        """The XMPP server behind this network, if there is one."""
        return None

    def start(self) -> None:  # noqa: B027 (not every network has something to do)
        """Get ready to carry messages."""

    @abstractmethod
    def close(self) -> None:
        """Stop, and let go of every subscription."""

    @abstractmethod
    def direct(self, sender: Sender, to: str, text: str) -> Message:
        """Send a message to the user `to`, from a person or, as an alert, from the host."""

    @abstractmethod
    def group(self, sender: Sender, group: str, text: str) -> Message:
        """Send a message to everybody in `group`, from one of its members or from the host."""

    @abstractmethod
    def broadcast(self, sender: Sender, domain: str, text: str) -> Message:
        """Send a message from the host to every user of `domain`, each exactly once, those offline too."""

    @abstractmethod
    def create_group(self, owner: str, members: Iterable[str], name: str = "", group: str | None = None) -> Group:
        """Create a group; `owner` need not be among `members`.

        If there is a group with the JID `group`, it is opened instead, and nobody is invited twice.
        """

    @abstractmethod
    def groups(self, user: str | None = None) -> list[Group]:
        """Every group, or those that `user` is in."""

    @abstractmethod
    def history(
        self, user: str, thread: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return the last `limit` messages that reached `user`, older than `before` if given; oldest first."""

    @abstractmethod
    def threads(self, user: str) -> list[Thread]:
        """Return the conversations of `user`, the one with the newest message first."""

    @abstractmethod
    def mark_read(self, user: str, thread: str) -> bool:
        """Take all of `thread` as read by `user`. Says whether that changed anything."""

    @abstractmethod
    def listen(self, listener: Listener, user: str | None = None) -> Callable[[], None]:
        """Call `listener` with what arrives from now on, with `user` or with anybody; returns what ends it.

        Calls come one at a time, in the order of the messages, and must be quick.
        """

    def listen_invitations(self, listener: Callable[[str], None]) -> None:  # noqa: B027 (not every network has some)
        """Call `listener` with each user for whom there are other invitations than before. It must be quick."""

    def invitations(self, user: str) -> list[Invitation]:
        """Return the invitations to groups that `user` has yet to answer; others are followed at once."""
        return []

    def answer(self, user: str, group: str, *, accept: bool) -> None:
        """Enter the group, or decline. Raises `NotFound` without an invitation, `Conflict` if it can't be entered."""
        raise NotFound("There is no such invitation.", hint="They come from clients of an XMPP server.")

    def user_changed(self, user: User) -> None:  # noqa: B027 (not every network keeps users of its own)
        """Take note that the user is new, or has a new name."""

    def user_removed(self, jid: str) -> None:  # noqa: B027
        """Take note that the user `jid` is gone from the store."""

    @abstractmethod
    def reset(self, empty: Callable[[], None]) -> None:
        """Have `empty` empty and seed the store while nothing is carried; nothing from before arrives after it."""

    def restore(self) -> None:  # noqa: B027 (not every network keeps files)
        """Make files of this network again that were removed while it runs. Raises `MiniAppError`."""

    def chat(self, user: str) -> Chat:
        """Return how a chat client of `user` logs in for the next minutes. Raises `Conflict` where there is no XMPP."""
        raise Conflict("There is no XMPP server.", hint="Start the sandbox with --xmpp prosody.")

    def subscribe(self, user: str | None = None) -> Subscription:
        """Return a queue of what arrives from now on, for `user` or for everybody."""
        return Subscription(self, user)


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
