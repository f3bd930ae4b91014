"""An XMPP client of another maker: plain slixmpp, as a user of the host might run it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

from slixmpp import JID, ClientXMPP

SECONDS = 20.0  # for anything to happen; on a busy machine too
PLUGINS = ("xep_0030", "xep_0045", "xep_0054", "xep_0066", "xep_0199", "xep_0249", "xep_0280", "xep_0313", "xep_0359")


class Got(NamedTuple):
    """Describe one message that came in. `kind` is its type, or `sent` for the copy of what our other client sent."""

    kind: str
    sender: str
    text: str


class Loop:
    """Run an event loop in a thread, for clients of tests that are not coroutines."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any], seconds: float = SECONDS) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def close(self) -> None:
        async def cancel() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.do(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Friend:
    """Run a client of the user `jid`, online from `login()` on. It keeps what it gets."""

    def __init__(self, loop: Loop, jid: str, password: str, port: int) -> None:
        self.jid = jid
        self.got: list[Got] = []
        self.invited: list[str] = []
        self.errors: list[str] = []
        self._loop, self._password, self._port = loop, password, port
        self.stream: Any = None

    def login(self) -> Friend:
        self._loop.do(self._login())
        return self

    async def _login(self) -> None:
        self.stream = stream = ClientXMPP(
            self.jid, self._password, plugin_config={"feature_mechanisms": {"unencrypted_plain": True}}
        )
        stream.enable_starttls = stream.enable_direct_tls = False
        stream.enable_plaintext = True
        for plugin in PLUGINS:
            stream.register_plugin(plugin)
        here = asyncio.get_running_loop().create_future()

        async def started(_: Any) -> None:
            await stream.plugin["xep_0280"].enable()
            stream.send_presence()
            await stream.get_roster()
            here.set_result(True)

        def refused(_: Any) -> None:
            if not here.done():
                here.set_exception(PermissionError("login refused"))

        stream.add_event_handler("session_start", started)
        stream.add_event_handler("failed_all_auth", refused)
        stream.add_event_handler("message", self._got)
        stream.add_event_handler("message_error", lambda message: self.errors.append(message["error"]["condition"]))
        stream.add_event_handler("presence_error", lambda presence: self.errors.append(presence["error"]["condition"]))
        stream.add_event_handler("carbon_sent", lambda message: self._note("sent", message["carbon_sent"]))
        stream.add_event_handler("groupchat_direct_invite", self._got_invitation)
        stream.connect("127.0.0.1", self._port)
        try:
            await here
        except PermissionError:
            await stream.disconnect()
            raise

    def _got(self, message: Any) -> None:
        self._note(message["type"], message)

    def _note(self, kind: str, message: Any) -> None:
        if message["body"]:
            sender = str(message["from"]) if kind == "groupchat" else message["from"].bare
            self.got.append(Got(kind, sender, message["body"]))

    def _got_invitation(self, message: Any) -> None:
        self.invited.append(str(message["groupchat_invite"]["jid"]))

    def send(self, to: str, text: str, kind: str = "chat") -> None:
        self._now(lambda: self.stream.send_message(mto=to, mbody=text, mtype=kind))

    def send_picture(self, to: str, address: str) -> None:
        """Send a picture as clients do after an HTTP upload: the message has only the address (XEP-0066)."""

        def send() -> None:
            message = self.stream.make_message(mto=to, mbody=address, mtype="chat")
            message["oob"]["url"] = address
            message.send()

        self._now(send)

    def join(self, room: str, nickname: str) -> None:
        self._loop.do(self.stream.plugin["xep_0045"].join_muc_wait(JID(room), nickname, maxstanzas=0, timeout=SECONDS))

    def try_to_join(self, room: str, nickname: str) -> None:
        """Join a room without waiting for the outcome."""
        self._now(lambda: self.stream.plugin["xep_0045"].join_muc(JID(room), nickname))

    def ask(self, make: Callable[[Any], Coroutine[Any, Any, Any]], seconds: float = SECONDS) -> Any:
        """Run the coroutine that `make` makes of the stream. Return its result, within so many seconds."""

        async def work() -> Any:
            return await make(self.stream)

        return self._loop.do(work(), seconds)

    def archive(self, room: str | None = None) -> list[str]:
        """Return the texts in our own archive on the server, or in that of `room`, oldest first."""

        async def read(stream: Any) -> list[str]:
            return [
                found["mam_result"]["forwarded"]["stanza"]["body"]
                async for found in stream.plugin["xep_0313"].iterate(jid=room)
            ]

        return [text for text in self.ask(read) if text]

    def texts(self, kind: str | None = None) -> list[str]:
        return [one.text for one in self.got if kind in (None, one.kind)]

    def logout(self) -> None:
        async def work() -> None:
            with suppress(Exception):
                await self.stream.disconnect(wait=1.0)

        self._loop.do(work())

    def _now(self, call: Callable[[], object]) -> None:
        async def work() -> None:
            call()

        self._loop.do(work())
