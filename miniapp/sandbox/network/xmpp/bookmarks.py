"""The bookmarks (XEP-0402) by which clients know the groups of their users."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from xml.etree import ElementTree as ET

from .channel import Broken, Channel, Refused, client, form, log
from .credentials import Credentials
from .server import ServerSettings

PUBSUB = "http://jabber.org/protocol/pubsub"
NODE = "urn:xmpp:bookmarks:1"
AT_ONCE = 10  # requests under way: a group of hundreds leaves room on the stream for messages
SIGN_SECONDS = 60.0  # a stream logs in with its password at once
PRIVATE = {
    "pubsub#persist_items": "true",
    "pubsub#access_model": "whitelist",
}  # all that ejabberd 23.01 lets one ask for
OPTIONS = {**PRIVATE, "pubsub#max_items": "max", "pubsub#send_last_published_item": "never"}


class Bookmarks:
    """Puts groups into the accounts of their members, and takes them out.

    Our own Prosody lets the host's `component` write there (mod_onechat_people). Elsewhere we log in as each user.
    """

    def __init__(self, settings: ServerSettings, component: Channel, credentials: Credentials, *, is_own: bool) -> None:
        self._settings = settings
        self._component = component
        self._credentials = credentials
        self._is_own = is_own
        self._wanted: dict[str, dict[str, str | None]] = {}  # by user: rooms with their names, None to remove
        self._kept: dict[tuple[str, str], str] = {}  # names of rooms that are bookmarked, by user and room
        self._running = asyncio.Lock()
        self._free = asyncio.Semaphore(AT_ONCE if is_own else 1)

    def keep(self, jid: str, room: str, name: str) -> None:
        """Have the user `jid` see `room`; `run` does it."""
        if self._kept.get((jid, room)) != name:
            self._wanted.setdefault(jid, {})[room] = name

    def drop(self, jid: str, room: str) -> None:
        """Have the user `jid` see `room` no more; `run` does it."""
        self._kept.pop((jid, room), None)
        self._wanted.setdefault(jid, {})[room] = None

    async def run(self) -> None:
        """Do what is wanted. What can't be done, by a broken connection or for a removed user, is for the next time."""
        async with self._running:
            there = [jid for jid in self._wanted if self._credentials.exists(jid)]
            await asyncio.gather(*(self._change(jid, self._wanted.pop(jid)) for jid in there))

    async def _change(self, jid: str, rooms: dict[str, str | None]) -> None:
        try:
            async with self._free, self._account(jid) as (channel, to):
                for room, name in rooms.items():
                    await (_remove(channel, to, room) if name is None else _publish(channel, to, room, name))
        except Refused as refused:
            log.info("The groups of %s can't be bookmarked: %s", jid, refused)
        except Broken as broken:
            log.info("The groups of %s are not bookmarked yet: %s", jid, broken)
            self._wanted[jid] = rooms | self._wanted.get(jid, {})
            return
        self._kept.update({(jid, room): name for room, name in rooms.items() if name is not None})

    @asynccontextmanager
    async def _account(self, jid: str) -> AsyncIterator[tuple[Channel, str]]:
        """Return the stream by which the account of `jid` is written, and the address for it."""
        if self._is_own:
            yield self._component, jid
            return
        channel = Channel(
            client(jid, f"bookmarks-{secrets.token_hex(4)}", self._settings.c2s_tls),
            self._settings.c2s,
            on_stanza=lambda _stanza: None,
            on_up=_nothing,
            password=lambda: self._credentials.sign(jid, SIGN_SECONDS),
        )
        channel.open()
        try:
            await channel.ready()
            yield channel, ""
        finally:
            await channel.close()


async def _nothing() -> None:
    """Be up at once: without presence, a stream gets no messages that wait for the user."""


async def _publish(channel: Channel, to: str, room: str, name: str) -> None:
    """Bookmark `room`. What a client of the user has put into a bookmark stays as it is."""
    query = ET.Element(f"{{{PUBSUB}}}pubsub")
    ET.SubElement(ET.SubElement(query, f"{{{PUBSUB}}}items", {"node": NODE}), f"{{{PUBSUB}}}item", {"id": room})
    there: ET.Element | None = None
    try:
        there = next((await channel.ask("get", to, query)).iter(f"{{{NODE}}}conference"), None)
    except Refused:
        await _create(channel, to)
    if there is not None and there.get("name") == name:
        return
    conference = ET.Element(f"{{{NODE}}}conference", {"autojoin": "true"}) if there is None else there
    conference.set("name", name)
    change = ET.Element(f"{{{PUBSUB}}}pubsub")
    publish = ET.SubElement(change, f"{{{PUBSUB}}}publish", {"node": NODE})
    ET.SubElement(publish, f"{{{PUBSUB}}}item", {"id": room}).append(conference)
    private = form({"FORM_TYPE": f"{PUBSUB}#publish-options", **PRIVATE})
    ET.SubElement(change, f"{{{PUBSUB}}}publish-options").append(private)
    await channel.ask("set", to, change)


async def _create(channel: Channel, to: str) -> None:
    """Make the node for bookmarks, unless it is there."""
    change = ET.Element(f"{{{PUBSUB}}}pubsub")
    ET.SubElement(change, f"{{{PUBSUB}}}create", {"node": NODE})
    options = form({"FORM_TYPE": f"{PUBSUB}#node_config", **OPTIONS})
    ET.SubElement(change, f"{{{PUBSUB}}}configure").append(options)
    with suppress(Refused):
        await channel.ask("set", to, change)


async def _remove(channel: Channel, to: str, room: str) -> None:
    change = ET.Element(f"{{{PUBSUB}}}pubsub")
    retract = ET.SubElement(change, f"{{{PUBSUB}}}retract", {"node": NODE, "notify": "true"})
    ET.SubElement(retract, f"{{{PUBSUB}}}item", {"id": room})
    try:
        await channel.ask("set", to, change)
    except Refused as refused:
        if refused.condition != "item-not-found":
            raise
