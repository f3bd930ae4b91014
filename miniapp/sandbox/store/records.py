"""What the store and the network hand out: frozen records, and the errors with which they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ...errors import Code, MiniAppError

MessageKind = Literal["direct", "group", "alert"]
AppStatus = Literal["pending", "approved", "suspended"]
SessionState = Literal["active", "expired", "revoked"]


def moment(seconds: float) -> datetime:
    """Return the point in time that a clock's `seconds` since 1970 name."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class User:
    """One person of the host. `avatar` is an image's URL, a `data:` one if the sandbox drew it."""

    jid: str
    name: str
    avatar: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """One group; `members` includes the owner."""

    jid: str
    name: str
    owner: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """One registered mini app. Of its API key the store knows a digest only, and doesn't hand it out."""

    app_id: str
    name: str
    icon: str
    url: str
    admin: str
    status: AppStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a user. `id` is a public number: the session ID itself is kept nowhere.

    `app_id` is the app it was issued for, or None if it was issued for none, as for a registration.
    """

    id: int
    jid: str
    app_id: str | None
    created_at: datetime
    expires_at: datetime
    state: SessionState


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message is from. The mini app `app_id` sends as the host's alert address, under the app's name."""

    jid: str
    name: str
    app_id: str | None = None

    @property
    def is_host(self) -> bool:
        """Whether this is the host's alert address: a domain, where a person's has an @."""
        return "@" not in self.jid


@dataclass(frozen=True, slots=True)
class Message:
    """One message as one user sees it: `thread` is the other person, the group, or the host's alert address."""

    id: int
    kind: MessageKind
    thread: str
    sender: Sender
    to: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that arrived with the user `jid`. Senders get their own as well, for their other devices."""

    jid: str
    message: Message


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation of one user, by its last message."""

    id: str
    kind: MessageKind
    title: str
    avatar: str
    last: Message
    unread: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to the group `group`, named `name`, by the user `by`, which the person has yet to answer."""

    group: str
    name: str
    by: str
    by_name: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One send that the REST API accepted from a mini app's backend, by the name of the call."""

    call: str
    app_id: str
    to: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Chat:
    """What a chat client logs in with: addresses for WebSocket and BOSH, and a password for the next seconds."""

    service: str
    bosh: str
    jid: str
    password: str
    expires_in: int

    def __repr__(self) -> str:
        return f"Chat({self.jid!r}, '…')"


class Refusal(MiniAppError):
    """The sandbox says no. `status` is the HTTP status that says the same."""

    code: str = Code.BAD_ARGUMENT
    status = 400


class NotFound(Refusal):
    """What was named does not exist."""

    code = Code.NOT_FOUND
    status = 404


class Forbidden(Refusal):
    """It exists, and is not for the one who asks."""

    code = Code.FORBIDDEN
    status = 403


class Conflict(Refusal):
    """It exists already."""

    code = Code.CONFLICT
    status = 409
