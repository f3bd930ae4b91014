"""The XMPP network: what the phones show is in the store, and a server carries it to every other client and back."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from ...errors import Code, MiniAppError
from ..store import Store
from ..store.records import Chat, Conflict, Delivered, Group, Invitation, Message, NotFound, Sender, Thread, User
from . import Listener
from .alerts import settle
from .bridge import Bridge
from .channel import Broken, Refused, log
from .credentials import CHAT_SECONDS, Credentials
from .embedded import EmbeddedNetwork
from .server import Server, ServerSettings

CONNECT_SECONDS = 10.0  # for the server to take the component; on this machine it takes 20 ms
CLEAR_SECONDS = 10.0  # for the server to destroy every room; it takes a millisecond for each
OPEN_SECONDS = 3.0  # a phone shows what it has if the server has not let it in by then


class XMPPNetwork(EmbeddedNetwork):
    """A network over `server`.

    Messages are accepted, numbered and shown as on the embedded network, and queued for the server in the same
    transaction. While the server is away they wait; each is sent once. What other clients write comes in by the open
    phones, by the rooms' observer, and from the server's archives.
    """

    def __init__(
        self,
        store: Store,
        server: Server,
        credentials: Credentials,
        *,
        settle: Callable[[], Awaitable[object]] = settle,
    ) -> None:
        """`settle` is awaited before the relay looks at a room that has changed."""
        super().__init__(store)
        self._store = store
        self._server = server
        self._credentials = credentials
        self._settle = settle
        self._bridge: Bridge | None = None
        self._asked: Callable[[str], None] = lambda _jid: None
        # Held from a change of the store until the relay has its order, and all through a reset: an order of before is
        # given to the relay of before, which ends with it. Never taken in the relay's own thread.
        self._steady = threading.Lock()

    @property
    def server(self) -> ServerSettings:
        """The XMPP server behind this network."""
        return self._server.settings

    def start(self) -> None:
        """Start the server and connect. Raises `MiniAppError` if that does not come about."""
        self._store.messages.relayed = True
        self._store.stanzas.begin(time.time())
        self._server.start()
        if fault := self._connect():
            self.close()
            raise _no_connection(self._server, fault)

    def close(self) -> None:
        self._disconnect()
        self._server.stop()
        super().close()

    def direct(self, sender: Sender, to: str, text: str) -> Message:
        return self._queued(super().direct(sender, to, text))

    def group(self, sender: Sender, group: str, text: str) -> Message:
        return self._queued(super().group(sender, group, text))

    def broadcast(self, sender: Sender, domain: str, text: str) -> Message:
        return self._queued(super().broadcast(sender, domain, text))

    def create_group(self, owner: str, members: Iterable[str], name: str = "", group: str | None = None) -> Group:
        with self._steady:
            made, new = self._mail.create_group(owner, members, name, group)
            if new:
                self._later(lambda bridge: bridge.provide(made, [jid for jid in new if jid != owner]))
        return made

    def history(
        self, user: str, thread: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        self._open(user)
        return super().history(user, thread, before=before, limit=limit)

    def threads(self, user: str) -> list[Thread]:
        self._open(user)
        return super().threads(user)

    def listen(self, listener: Listener, user: str | None = None) -> Callable[[], None]:
        if user is not None:
            self._open(user)
        return super().listen(listener, user)

    def listen_invitations(self, listener: Callable[[str], None]) -> None:
        self._asked = listener

    def invitations(self, user: str) -> list[Invitation]:
        return self._store.invitations.pending(user)

    def answer(self, user: str, group: str, *, accept: bool) -> None:
        invitation = self._store.invitations.answer(user, group, accept=accept)
        self._asked(user)
        if (bridge := self._bridge) is None:
            return
        try:
            if accept:
                bridge.call(bridge.enter(user, group)).result(2 * OPEN_SECONDS)
            else:
                bridge.call(bridge.decline(user, group, invitation.by)).result(2 * OPEN_SECONDS)
        except (Refused, Broken, CancelledError, TimeoutError) as error:
            if accept:
                raise Conflict("The group does not let you in.", hint=f"Ask to be invited again ({error}).") from None
        self._asked(user)

    def user_changed(self, user: User) -> None:
        with self._steady:
            if (now := self._store.users.find(user.jid)) is None:  # a reset came between
                return
            self._server.tell(changed=[now])
            self._later(lambda bridge: bridge.rename(user.jid))

    def user_removed(self, jid: str) -> None:
        with self._steady:
            if self._store.users.find(jid) is not None:  # a reset came between
                return
            self._server.tell(removed=[jid])
            if not self._server.is_own:
                self._later(lambda bridge: bridge.end_streams([jid]))
            rooms = [group.jid for group in self._mail.groups()]
            self._later(lambda bridge: bridge.expel(jid, rooms))

    def reset(self, empty: Callable[[], None]) -> None:
        """End the relay, empty the store and the server, and begin with a new relay, which knows of nothing before."""
        with self._steady:
            people = [user.jid for user in self._store.users.all()]
            before = self._mail.groups()
            if self._bridge is not None:
                with suppress(TimeoutError, Broken):
                    self._bridge.call(self._bridge.clear(people)).result(CLEAR_SECONDS)
            self._disconnect()
            if not self._server.is_own:
                time.sleep(1 - time.time() % 1)  # archives count in whole seconds, and those of this one stay
            try:
                self._server.renew(lambda: super(XMPPNetwork, self).reset(empty))
            finally:
                self._reconnect()
            if not self._server.is_own:
                there = {group.jid for group in self._mail.groups()}
                self._later(lambda bridge: bridge.forget([group for group in before if group.jid not in there]))

    def restore(self) -> None:
        """Start the server again if it was lost, and connect."""
        if self._server.is_lost:
            with self._steady:
                self._disconnect()
                self._server.stop()
                self._server.start()
                self._reconnect()

    def chat(self, user: str) -> Chat:
        self._store.users.get(user)
        settings, password = self._server.settings, self._credentials.sign(user)
        return Chat(settings.websocket, settings.bosh, user, password, CHAT_SECONDS)

    def _connect(self) -> str:
        """Start a relay; returns why the server did not take it in time, or nothing."""
        self._bridge = Bridge(
            self._server.settings,
            self._store,
            self._credentials,
            self._take_inbound,
            self._settle,
            lambda jid: self._asked(jid),
            is_own=self._server.is_own,
        )
        return self._bridge.start(CONNECT_SECONDS)

    def _reconnect(self) -> None:
        self._store.stanzas.begin(int(time.time()))
        if fault := self._connect():
            log.warning("%s", _no_connection(self._server, fault))  # the relay goes on trying

    def _disconnect(self) -> None:
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.stop()

    def _take_inbound(self, write: Callable[[], list[Delivered]]) -> None:
        with self._order:
            self._tell(write())

    def _queued(self, message: Message) -> Message:
        if (bridge := self._bridge) is not None:
            bridge.wake()
        return message

    def _later(self, work: Callable[[Bridge], Coroutine[Any, Any, None]]) -> None:
        if (bridge := self._bridge) is not None:
            with suppress(Broken):
                bridge.call(work(bridge)).add_done_callback(lambda done: done.cancelled() or done.exception())

    def _open(self, user: str) -> None:
        """Have the phone of `user` logged in and caught up, if the server lets it."""
        if (bridge := self._bridge) is not None and bridge.is_up and self._store.users.find(user) is not None:
            with suppress(Broken, NotFound, CancelledError, TimeoutError):  # cancelled: a reset came between
                bridge.call(bridge.phone(user, OPEN_SECONDS)).result(2 * OPEN_SECONDS)


def _no_connection(server: Server, fault: str) -> MiniAppError:
    host, port = server.settings.component
    if fault == "not-authorized":
        return MiniAppError(
            f"The XMPP server at {host} port {port} does not accept the component's secret.",
            hint=f"Make component_secret what the server has for {server.settings.alerts}.",
            code=Code.XMPP_SECRET,
        )
    return MiniAppError(
        f"The XMPP server at {host} port {port} can't be reached: {fault}.",
        hint="Is it running, and does it listen for components there? --xmpp off does without it.",
        code=Code.XMPP_UNREACHABLE,
    )
