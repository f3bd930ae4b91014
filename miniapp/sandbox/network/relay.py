"""What a relay does beside the local delivery: it carries messages to other clients of their recipients, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ..store.records import Chat, Delivered, Group, Invitation, User

if TYPE_CHECKING:
    from .xmpp.server import ServerSettings

Deliver = Callable[[Callable[[], list[Delivered]]], None]
"""Takes what writes messages of other clients into the store, and tells the listeners of them."""


class Relay(Protocol):
    """A server beside the store. What it is told to do happens later, in order, and again after a break."""

    @property
    def server(self) -> ServerSettings:
        """The server that this relay uses."""

    def start(self, deliver: Deliver, invited: Callable[[str], None]) -> None:
        """Start the server and connect; `invited` takes each user with other invitations. Raises `MiniAppError`."""

    def stop(self) -> None:
        """Stop; nothing is written to the store or sent after it returns."""

    def wake(self) -> None:
        """Take note that the store has new messages to carry."""

    def open(self, user: str) -> None:
        """Have the phone of `user` logged in and caught up, if the server lets it."""

    def provide(self, group: Group, invited: Iterable[str]) -> None:
        """Have `group` on the server with its members, of whom those in `invited` are new."""

    def answer(self, user: str, invitation: Invitation, *, accept: bool) -> None:
        """Enter the group of `invitation`, or decline. Raises `Conflict` if it can't be entered."""

    def user_changed(self, user: User) -> None:
        """Tell the server that `user` is new, or has a new name."""

    def user_removed(self, jid: str) -> None:
        """Take the user `jid` off the server and out of the groups."""

    def reset(self, empty: Callable[[], None]) -> None:
        """End what is carried, call `empty`, and begin again with an empty server."""

    def restore(self) -> None:
        """Make the server's files again if they were removed while it runs. Raises `MiniAppError`."""

    def chat(self, user: str) -> Chat:
        """Return how a chat client of `user` logs in for the next minutes."""
