"""Many clients in one group, with only the XMPP that this takes: 200 clients of slixmpp are slow."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from xml.etree.ElementTree import Element, XMLPullParser
from xml.sax.saxutils import escape

CLIENT, MUC = "{jabber:client}", "http://jabber.org/protocol/muc"
AT_ONCE = 10  # logins under way together: more wait longer for each answer


class Member:
    """Run a client in a group, which keeps every message in the order of arrival."""

    def __init__(self, jid: str, password: str, port: int) -> None:
        self.jid, self.name = jid, jid.partition("@")[0]
        self.texts: list[str] = []
        self.present: set[str] = set()  # the nicknames of those who are there
        self._password, self._port = password, port
        self._room = ""

    async def enter(self, room: str) -> None:
        """Return once the presence of all members has arrived; one's own is the last."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self._open()
        secret = base64.b64encode(f"\0{self.name}\0{self._password}".encode()).decode()
        self._write(f'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">{secret}</auth>')
        answer = await self._next()
        assert answer.tag.endswith("}success"), answer.tag
        await self._open()
        self._write('<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>')
        answer = await self._next()
        assert answer.get("type") == "result"
        self._room = room
        self._write(
            f'<presence/><presence to="{room}/{self.name}"><x xmlns="{MUC}"><history maxstanzas="0"/></x></presence>'
        )
        while self.name not in self.present:
            self._take(await self._next())
        self._listening = asyncio.create_task(self._listen())

    def write(self, text: str) -> None:
        self._write(f'<message to="{self._room}" type="groupchat"><body>{escape(text)}</body></message>')

    async def leave(self) -> None:
        """End the stream as a client does, and wait until the server has ended it, too."""
        self._write("</stream:stream>")
        await self._listening
        self._writer.close()
        await self._writer.wait_closed()

    async def _open(self) -> None:
        self._parser = XMLPullParser(("start", "end"))
        self._depth = 0
        self._write(
            f'<stream:stream to="{self.jid.partition("@")[2]}" version="1.0" xmlns="jabber:client" '
            'xmlns:stream="http://etherx.jabber.org/streams">'
        )
        await self._next()  # the features

    async def _listen(self) -> None:
        try:
            while True:
                self._take(await self._next())
        except EOFError:
            pass

    def _take(self, stanza: Element) -> None:
        sender, _, nickname = stanza.get("from", "").partition("/")
        if sender != self._room:
            return
        if stanza.tag == f"{CLIENT}presence":
            assert stanza.get("type") != "error", f"{self.name} is not let in"
            self.present.add(nickname)
        elif (body := stanza.findtext(f"{CLIENT}body")) is not None:
            self.texts.append(body)

    def _write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def _next(self) -> Element:
        """Return the next stanza. Raises EOFError at the stream's end."""
        while True:
            for event, element in self._parser.read_events():
                self._depth += 1 if event == "start" else -1
                if event == "start" and self._depth == 1:
                    self._root = element
                elif event == "end" and self._depth == 1:
                    self._root.clear()  # or all that ever came would be kept
                    return element
            data = await self._reader.read(65536)
            if not data:
                raise EOFError
            self._parser.feed(data)


class Crowd:
    """Put all of `jids` into one group. Each password is `pw-` and the name."""

    def __init__(self, jids: Iterable[str], port: int) -> None:
        self.members = [Member(jid, f"pw-{jid.partition('@')[0]}", port) for jid in jids]

    async def enter(self, room: str) -> None:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(member: Member) -> None:
            async with turns:
                await member.enter(room)

        await asyncio.gather(*map(one, self.members))

    async def write(self, members: Iterable[Member], text: str) -> None:
        """Let each of `members` write, all at the same time."""
        for member in members:
            member.write(f"{text} {member.name}")

    async def leave(self) -> None:
        await asyncio.gather(*(member.leave() for member in self.members))
