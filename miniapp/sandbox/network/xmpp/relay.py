"""The relay over XMPP: what the phones show is in the store, and a server carries it to other clients and back."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from ....errors import Code, MiniAppError
from ...store import Store
from ...store.records import Chat, Conflict, Group, Invitation, NotFound, User
from ..relay import Deliver
from .alerts import settle
from .channel import Broken, Refused, log
from .credentials import CHAT_SECONDS, Credentials
from .server import Server, ServerSettings
from .streams import Streams

CONNECT_SECONDS = 10.0  # for the server to take the component; on this machine it takes 20 ms
CLEAR_SECONDS = 10.0  # for the server to destroy every room; it takes a millisecond for each
OPEN_SECONDS = 3.0  # a phone shows what it has if the server has not let it in by then


class XMPPRelay:
    """A `Relay` over `server`.

    The store numbers a message, shows it, and queues it for the server in one transaction. While the server is away
    messages wait; each is sent once. What other clients write comes in by the open phones, by the rooms' observer, and
    from the server's archives.
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
        self._store = store
        self._server = server
        self._credentials = credentials
        self._settle = settle
        self._streams: Streams | None = None
        self._deliver: Deliver
        self._invited: Callable[[str], None]

    @property
    def server(self) -> ServerSettings:
        return self._server.settings

    def start(self, deliver: Deliver, invited: Callable[[str], None]) -> None:
        self._deliver, self._invited = deliver, invited
        self._store.messages.relayed = True
        self._store.stanzas.begin(time.time())
        self._server.start()
        if fault := self._connect():
            self.stop()
            raise _no_connection(self._server, fault)

    def stop(self) -> None:
        self._disconnect()
        self._server.stop()

    def wake(self) -> None:
        if (streams := self._streams) is not None:
            streams.wake()

    def open(self, user: str) -> None:
        if (streams := self._streams) is not None and streams.is_up and self._store.users.find(user) is not None:
            with suppress(Broken, NotFound, CancelledError, TimeoutError):  # cancelled: a reset came between
                streams.call(streams.phone(user, OPEN_SECONDS)).result(2 * OPEN_SECONDS)

    def provide(self, group: Group, invited: Iterable[str]) -> None:
        self._later(lambda streams: streams.provide(group, list(invited)))

    def answer(self, user: str, invitation: Invitation, *, accept: bool) -> None:
        if (streams := self._streams) is None:
            return
        try:
            if accept:
                streams.call(streams.enter(user, invitation.group)).result(2 * OPEN_SECONDS)
            else:
                streams.call(streams.decline(user, invitation.group, invitation.by)).result(2 * OPEN_SECONDS)
        except (Refused, Broken, CancelledError, TimeoutError) as error:
            if accept:
                raise Conflict("The group does not let you in.", hint=f"Ask to be invited again ({error}).") from None

    def user_changed(self, user: User) -> None:
        self._server.tell(changed=[user])
        self._later(lambda streams: streams.rename(user.jid))

    def user_removed(self, jid: str) -> None:
        self._server.tell(removed=[jid])
        if not self._server.is_own:
            self._later(lambda streams: streams.end_streams([jid]))
        rooms = [group.jid for group in self._store.messages.groups()]
        self._later(lambda streams: streams.expel(jid, rooms))

    def reset(self, empty: Callable[[], None]) -> None:
        """End the streams, empty store and server, and begin with new streams, which know of nothing before."""
        people = [user.jid for user in self._store.users.all()]
        before = self._store.messages.groups()
        if self._streams is not None:
            with suppress(TimeoutError, Broken):
                self._streams.call(self._streams.clear(people)).result(CLEAR_SECONDS)
        self._disconnect()
        if not self._server.is_own:
            time.sleep(1 - time.time() % 1)  # archives count in whole seconds, and those of this one stay
        try:
            self._server.renew(empty)
        finally:
            self._reconnect()
        if not self._server.is_own:
            there = {group.jid for group in self._store.messages.groups()}
            self._later(lambda streams: streams.forget([group for group in before if group.jid not in there]))

    def restore(self) -> None:
        """Start the server again if it was lost, and connect."""
        if self._server.is_lost:
            self._disconnect()
            self._server.stop()
            self._server.start()
            self._reconnect()

    def chat(self, user: str) -> Chat:
        self._store.users.get(user)
        settings, password = self._server.settings, self._credentials.sign(user)
        return Chat(settings.websocket, settings.bosh, user, password, CHAT_SECONDS)

    def _connect(self) -> str:
        """Start streams; returns why the server did not take it in time, or nothing."""
        self._streams = Streams(
            self._server.settings,
            self._store,
            self._credentials,
            self._deliver,
            self._settle,
            self._invited,
            is_own=self._server.is_own,
        )
        return self._streams.start(CONNECT_SECONDS)

    def _reconnect(self) -> None:
        self._store.stanzas.begin(int(time.time()))
        if fault := self._connect():
            log.warning("%s", _no_connection(self._server, fault))  # they go on trying

    def _disconnect(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams.stop()

    def _later(self, work: Callable[[Streams], Coroutine[Any, Any, None]]) -> None:
        if (streams := self._streams) is not None:
            with suppress(Broken):
                streams.call(work(streams)).add_done_callback(lambda done: done.cancelled() or done.exception())


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
