"""One phone as an XMPP client: what comes to its user, live and from the archive, and what the user sends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from ...store.stanzas import Outgoing, Position
from . import inbound
from .cards import VCARD
from .channel import Broken, Channel, Refused, bare, client, log
from .inbound import CARBONS, MUC_USER, Inbound
from .rooms import ORIGIN, Rooms, body, destroy
from .server import ServerSettings

SETTLE_SECONDS = (1.0, 5.0)  # pauses before the archive is read again; `extauth` has an answer after 5 s at the latest


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """Whom a stream tells, and how far archives are read.

    `invited` gets the user, the room, who invites, and when: seconds since 1970, None for now.
    """

    inbound: Callable[[Inbound], None]
    invited: Callable[[str, str, str, float | None], None]
    position: Callable[[str], Position]
    move: Callable[[str, str], None]


class Phone:
    """A client of the user `jid`, from `open()` to `close()`. `groups` says which rooms to be in, by `name`."""

    def __init__(
        self,
        settings: ServerSettings,
        jid: str,
        *,
        name: Callable[[], str],
        password: Callable[[], str],
        groups: Callable[[], Iterable[str]],
        handlers: Handlers,
    ) -> None:
        self.jid = jid
        self._settings = settings
        self._name = name
        self._groups = groups
        self._handlers = handlers
        self.channel = Channel(
            client(jid, f"phone-{secrets.token_hex(4)}", settings.c2s_tls),
            settings.c2s,
            on_stanza=self._take,
            on_up=self._set_up,
            password=password,
        )
        self.rooms = Rooms(self.channel, name())
        self._settling: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to log in."""
        self.channel.open()

    async def close(self) -> None:
        """Log out."""
        self._stop_settling()
        await self.channel.close()

    def send_direct(self, message: Outgoing) -> None:
        """Send to a user. Whether it arrived is known by the next `ping`."""
        stanza = self.channel.element("message", to=message.to, type_="chat", id=message.stanza_id)
        body(stanza, message.text)
        ET.SubElement(stanza, ORIGIN, {"id": message.stanza_id})
        self.channel.send(stanza)

    async def publish_name(self) -> None:
        """Tell the server the user's name (XEP-0054), if it wants to know it from a client."""
        card = ET.Element(f"{{{VCARD}}}vCard")
        for field in ("FN", "NICKNAME"):
            ET.SubElement(card, f"{{{VCARD}}}{field}").text = self._name()
        with suppress(Refused):  # our own Prosody has the names from the sandbox itself
            await self.channel.ask("set", "", card)

    async def join(self, room: str) -> None:
        """Be in `room`, if it lets us."""
        try:
            await self.rooms.join(room)
        except Refused as refused:
            log.info("%s can't join %s: %s", self.jid, room, refused)

    async def accept(self, room: str) -> None:
        """Enter `room` for good. Raises `Refused`, also if it is no longer there: entering has made it then."""
        if await self.rooms.join(room):
            await destroy(self.channel, room)
            raise Refused("item-not-found")

    def decline(self, room: str, by: str) -> None:
        """Tell `by`, by way of the room, that the user does not come (XEP-0045, 7.8.2)."""
        message = self.channel.element("message", to=room)
        x = ET.SubElement(message, f"{{{MUC_USER}}}x")
        ET.SubElement(x, f"{{{MUC_USER}}}decline", {"to": by})
        self.channel.send(message)

    async def _set_up(self) -> None:
        self._stop_settling()
        self.rooms.nicknames.clear()
        await self.channel.ask("set", "", ET.Element(f"{{{CARBONS}}}enable"))
        self.channel.send(self.channel.element("presence"))
        await self.publish_name()
        await catch_up(self.channel, self.jid, self._handlers)
        await asyncio.gather(*(self.join(room) for room in self._groups()))
        self._settling = asyncio.ensure_future(self._settle())

    async def _settle(self) -> None:
        """Hear what was on its way while we logged in.

        ejabberd finds nobody online, asks who there is, and then keeps the message for one who is offline. Whoever has
        come online meanwhile is not told of it.
        """
        try:
            for pause in SETTLE_SECONDS:
                await asyncio.sleep(pause)
                await catch_up(self.channel, self.jid, self._handlers)
        except (Broken, Refused) as error:
            log.info("The archive of %s was not read again: %s", self.jid, error)

    def _stop_settling(self) -> None:
        if self._settling is not None:
            self._settling.cancel()

    def _take(self, stanza: ET.Element) -> None:
        if bare(stanza.get("from")).endswith(f"@{self._settings.groups}"):
            self.rooms.take(stanza)
        if stanza.tag.endswith("}presence") or stanza.get("type") in ("error", "groupchat"):
            return
        message = inbound.carbon(stanza, self.jid)
        message = stanza if message is None else message
        if (invitation := inbound.invitation(message)) is not None:
            self._handlers.invited(self.jid, *invitation, inbound.seconds(inbound.delayed(message)))
        elif (news := inbound.direct(message, self.jid)) is not None:
            self._handlers.inbound(news)


async def catch_up(channel: Channel, owner: str, handlers: Handlers, *, from_: str = "") -> None:
    """Hear what came into the archive of the user or room `owner` since it was last read."""
    position = handlers.position(owner)
    start = datetime.fromtimestamp(position.since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    archive_id = position.archive_id
    try:
        archive_id = await _read(channel, owner, handlers, archive_id, start, from_)
    except Refused as refused:
        if refused.condition != "item-not-found" or archive_id is None:  # else: it has been deleted since
            raise
        archive_id = await _read(channel, owner, handlers, None, start, from_)
    if archive_id is not None and archive_id != position.archive_id:
        handlers.move(owner, archive_id)


async def _read(
    channel: Channel, owner: str, handlers: Handlers, after: str | None, start: str, from_: str
) -> str | None:
    async for page in channel.archive(owner if from_ else "", after=after, start=start, from_=from_):
        for archived in page:
            if (invitation := inbound.invitation(archived.message)) is not None:
                handlers.invited(owner, *invitation, inbound.seconds(archived.at))
            elif (news := inbound.from_archive(archived, owner)) is not None:
                handlers.inbound(news)
        after = page[-1].archive_id
    return after
