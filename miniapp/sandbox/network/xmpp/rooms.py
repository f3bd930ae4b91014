"""What both kinds of stream do in a room (XEP-0045): come in under a nickname, and write."""

from __future__ import annotations

import asyncio
import stringprep
from xml.etree import ElementTree as ET

from .channel import Channel, Refused, bare
from .inbound import MUC, OWNER, SID, statuses

ORIGIN = f"{{{SID}}}origin-id"
NICKNAMES_TRIED = 5  # more people of one name in one group are hardly to be told apart anyway


def usable(nickname: str) -> str:
    """Return `nickname` without the characters that servers refuse in one (RFC 3920, resourceprep): most emoji."""
    kept = "".join(one for one in nickname if not stringprep.in_table_a1(one) and one.isprintable())
    return " ".join(kept.split()) or "Guest"


class Rooms:
    """The rooms that one occupant is in, by bare JID, with the nickname there."""

    def __init__(self, channel: Channel, nickname: str, *, from_: str = "") -> None:
        self.nicknames: dict[str, str] = {}
        self._channel = channel
        self._nickname = usable(nickname)
        self._from = from_
        self._joining: dict[str, asyncio.Lock] = {}

    async def join(self, room: str) -> bool:
        """Come in, if not in already; says whether the room was made by that. Raises `Refused` or `Broken`."""
        async with self._joining.setdefault(room, asyncio.Lock()):
            if room in self.nicknames:
                return False
            for number in range(1, NICKNAMES_TRIED + 1):
                nickname = self._nickname if number == 1 else f"{self._nickname} ({number})"
                try:
                    answer = await self._enter(room, nickname)
                except Refused as refused:
                    if refused.condition != "conflict" or number == NICKNAMES_TRIED:
                        raise
                    continue
                self.nicknames[room] = nickname
                return "201" in statuses(answer)
            raise AssertionError("unreachable")

    async def write(self, room: str, text: str, stanza_id: str) -> None:
        """Return once the room has handed the message out. Raises `Refused` or `Broken`."""
        await self.join(room)
        message = self._channel.element("message", to=room, type_="groupchat", id=stanza_id, from_=self._from)
        body(message, text)
        ET.SubElement(message, ORIGIN, {"id": stanza_id})
        try:
            await self._channel.answer_to(message)
        except Refused:
            self.nicknames.pop(room, None)  # it may be that we were put out: come in again the next time
            raise

    def take(self, stanza: ET.Element) -> None:
        """Look at a presence or message from a room, which may be what somebody here waits for."""
        room = bare(stanza.get("from"))
        if stanza.tag.endswith("}message"):
            self._channel.settle(stanza.get("id", ""), stanza)
        elif stanza.get("type") == "error":
            self._channel.settle(self._key(room), stanza)
        elif "110" in statuses(stanza):
            if stanza.get("type") == "unavailable":
                self.nicknames.pop(room, None)
            else:
                self._channel.settle(self._key(room), stanza)

    async def _enter(self, room: str, nickname: str) -> ET.Element:
        wait = self._channel.expect(self._key(room))
        presence = self._channel.element("presence", to=f"{room}/{nickname}", from_=self._from)
        ET.SubElement(ET.SubElement(presence, f"{{{MUC}}}x"), f"{{{MUC}}}history", {"maxstanzas": "0"})
        self._channel.send(presence)
        return await self._channel.outcome(self._key(room), wait)

    def _key(self, room: str) -> str:
        return f"join {room} {self._from}"


def body(message: ET.Element, text: str) -> None:
    """Give `message` its text."""
    ET.SubElement(message, message.tag.replace("}message", "}body")).text = text


async def destroy(channel: Channel, room: str, *, from_: str = "") -> None:
    """Destroy `room`, for an owner of it (XEP-0045, 10.9). Raises `Refused` or `Broken`."""
    query = ET.Element(f"{{{OWNER}}}query")
    ET.SubElement(query, f"{{{OWNER}}}destroy")
    await channel.ask("set", room, query, from_=from_)
