"""The host on the XMPP server: the component that alerts come from, and that keeps the groups' rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from xml.etree import ElementTree as ET

from ...store.records import Group
from . import inbound
from .cards import VCARD, card
from .channel import FORMS, Broken, Channel, Refused, bare, child, component, form, local_name, log
from .client import Handlers, catch_up
from .inbound import CONFERENCE, MUC, MUC_USER, OWNER
from .rooms import ORIGIN, Rooms, body, destroy
from .server import ServerSettings

OBSERVER = "OneChat"  # its own occupant in every room; each mini app has one of its own name where it has written
ADMIN = f"{MUC}#admin"
CONFIG = f"{MUC}#roomconfig"
INFO = "http://jabber.org/protocol/disco#info"
NICK = "http://jabber.org/protocol/nick"
COMMANDS = "http://jabber.org/protocol/commands"
END_SESSION = "http://jabber.org/protocol/admin#end-user-session"
SETTLE_SECONDS = 0.05  # several changes of a room at once, such as a list of new members, are looked at once
EMPTY = "{urn:onechat:rooms}empty"  # what mod_onechat_rooms takes as the order to destroy every room


async def settle() -> None:
    """Wait until changes of a room that come together have come."""
    await asyncio.sleep(SETTLE_SECONDS)


class Alerts:
    """The component `alerts.{domain}`. `changed` is called with a group as it is on the server, None if it is gone.

    `icon` says where the picture of an app is, by its name.
    """

    def __init__(
        self,
        settings: ServerSettings,
        *,
        handlers: Handlers,
        changed: Callable[[str, Group | None], None],
        on_up: Callable[[], Awaitable[None]],
        settle: Callable[[], Awaitable[object]],
        icon: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._handlers = handlers
        self._changed = changed
        self._after = on_up
        self._settle = settle
        self._icon = icon
        self._apps: dict[str, Rooms] = {}
        self._people: dict[str, dict[str, str]] = {}  # who has which nickname, by room
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._busy: set[asyncio.Task[None]] = set()
        self._clearing = False
        self.channel = Channel(
            component(settings.alerts, settings.component_secret),
            settings.component,
            on_stanza=self._take,
            on_up=self._set_up,
            on_request=self._take_request,
        )

    async def close(self) -> None:
        """Close the component's stream."""
        for task in (*self._looking.values(), *self._busy):
            task.cancel()
        await self.channel.close()

    # --- sending ---

    def send(self, app: str, to: str, text: str, stanza_id: str) -> None:
        """Send an alert of the app `app` to the user `to`. Whether it arrived is known by the next `ping`."""
        stanza = self.channel.element("message", from_=self._settings.alerts, to=to, type_="chat", id=stanza_id)
        body(stanza, text)
        ET.SubElement(stanza, f"{{{NICK}}}nick").text = app
        ET.SubElement(stanza, ORIGIN, {"id": stanza_id})
        self.channel.send(stanza)

    def rooms(self, app: str = OBSERVER) -> Rooms:
        """Return the occupant through which the app `app` writes to groups."""
        if app not in self._apps:
            self._apps[app] = Rooms(self.channel, app, from_=self.occupant(app))
        return self._apps[app]

    def occupant(self, app: str = OBSERVER) -> str:
        """Return the address that the app has in rooms."""
        return f"{self._settings.alerts}/{app}"

    # --- people ---

    async def end_streams(self, jid: str) -> None:
        """End every stream of the user `jid` (XEP-0133, End User Session): what the server lets administrators do."""
        asked = await self._command({"action": "execute"})
        fields = {"FORM_TYPE": "http://jabber.org/protocol/admin", "accountjid": jid, "accountjids": jid}
        offered = {field.get("var") for field in asked.iter(f"{{{FORMS}}}field")}
        filled = form({name: value for name, value in fields.items() if name in offered})
        await self._command({"action": "complete", "sessionid": asked.get("sessionid", "")}, filled)

    async def _command(self, attributes: dict[str, str], *payload: ET.Element) -> ET.Element:
        command = ET.Element(f"{{{COMMANDS}}}command", {"node": END_SESSION, **attributes})
        command.extend(payload)
        answer = (await self.channel.ask("set", self._settings.domain, command)).find(f"{{{COMMANDS}}}command")
        if answer is None:
            raise Refused("undefined-condition", "the server's answer to a command is none")
        return answer

    # --- groups ---

    async def provide(self, group: Group, invited: Collection[str] = ()) -> None:
        """Make the room of `group` be there, with at least its members; invite those who are new."""
        made = await self.rooms().join(group.jid)
        if made:
            await self._configure(group)
        there = {} if made else await self._affiliations(group.jid)
        wanted = {jid: "owner" if jid == group.owner else "member" for jid in group.members}
        await self._affiliate(group.jid, {jid: how for jid, how in wanted.items() if jid not in there})
        for jid in invited:
            message = self.channel.element("message", from_=self._settings.alerts, to=jid)
            ET.SubElement(message, f"{{{CONFERENCE}}}x", {"jid": group.jid, "reason": group.name})
            self.channel.send(message)
        if not made:
            await catch_up(self.channel, group.jid, self._handlers, from_=self.occupant())

    async def adopt(self, room: str) -> None:
        """Take over a room that somebody else made or changed, as it is."""
        try:
            if await self.rooms().join(room):  # so it was there no longer, or never
                return await self._destroy(room)
            affiliations = await self._affiliations(room)
            name = await self._name(room)
        except Refused as refused:
            log.info("The group %s can't be looked at: %s", room, refused)
            return None
        members = [jid for jid in affiliations if jid.endswith(f"@{self._settings.domain}")]
        owners = [jid for jid in members if affiliations[jid] == "owner"]
        if members:
            self._changed(room, Group(room, name, (owners or members)[0], tuple(members)))
        return None

    async def admit(self, room: str, jid: str) -> None:
        """Make `jid`, whom `room` has let in, a member for good, and take over what has become of it."""
        await self.rooms().join(room)
        if jid not in await self._affiliations(room):
            await self._affiliate(room, {jid: "member"})
        await self.adopt(room)

    def present(self, room: str) -> set[str]:
        """Return who is in `room` now."""
        return set(self._people.get(room, {}).values())

    async def expel(self, jid: str, rooms: Collection[str]) -> None:
        """Take `jid`, who was removed, out of `rooms`."""
        for room in rooms:
            await self.rooms().join(room)
            await self._affiliate(room, {jid: "none"})

    async def destroy_all(self, *, is_own: bool) -> None:
        """Destroy every room that we are in or, on a server of our own, that there is. Their occupants are told."""
        for task in (*self._looking.values(), *self._busy):
            task.cancel()
        self._looking.clear()
        self._clearing = True
        if is_own:
            order = self.channel.element("message", from_=self._settings.alerts, to=self._settings.groups)
            ET.SubElement(order, EMPTY)
            self.channel.send(order)
            await self.channel.ping(self._settings.groups)
            return
        for room in list(self.rooms().nicknames):
            await self._destroy(room)

    async def _destroy(self, room: str) -> None:
        await destroy(self.channel, room, from_=self.occupant())

    async def _configure(self, group: Group) -> None:
        answer = await self.channel.ask("get", group.jid, ET.Element(f"{{{OWNER}}}query"), from_=self.occupant())
        offered = {field.get("var") for field in answer.iter(f"{{{FORMS}}}field")}
        wanted = {
            "muc#roomconfig_roomname": group.name,
            "muc#roomconfig_persistentroom": "1",
            "muc#roomconfig_membersonly": "1",
            "muc#roomconfig_publicroom": "0",
            "muc#roomconfig_moderatedroom": "0",
            "muc#roomconfig_whois": "anyone",
            "muc#roomconfig_allowinvites": "1",
            "{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites": "1",  # Prosody's name of the same
            "mam": "1",  # ejabberd's name of keeping an archive
        }
        query = ET.Element(f"{{{OWNER}}}query")
        query.append(form({"FORM_TYPE": CONFIG, **{name: value for name, value in wanted.items() if name in offered}}))
        await self.channel.ask("set", group.jid, query, from_=self.occupant())

    async def _affiliations(self, room: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for affiliation in ("owner", "admin", "member"):
            query = ET.Element(f"{{{ADMIN}}}query")
            ET.SubElement(query, f"{{{ADMIN}}}item", {"affiliation": affiliation})
            answer = await self.channel.ask("get", room, query, from_=self.occupant())
            found |= {bare(item.get("jid")): affiliation for item in answer.iter(f"{{{ADMIN}}}item")}
        return found

    async def _affiliate(self, room: str, affiliations: dict[str, str]) -> None:
        """One request for each, since Prosody looks at the first of several only."""

        async def one(jid: str, affiliation: str) -> None:
            query = ET.Element(f"{{{ADMIN}}}query")
            ET.SubElement(query, f"{{{ADMIN}}}item", {"jid": jid, "affiliation": affiliation})
            await self.channel.ask("set", room, query, from_=self.occupant())

        await asyncio.gather(*(one(jid, affiliation) for jid, affiliation in affiliations.items()))

    async def _name(self, room: str) -> str:
        answer = await self.channel.ask("get", room, ET.Element(f"{{{INFO}}}query"), from_=self.occupant())
        identity = answer.find(f"{{{INFO}}}query/{{{INFO}}}identity")
        return identity.get("name", "") if identity is not None else ""

    # --- receiving ---

    async def _set_up(self) -> None:
        self._people.clear()
        for rooms in self._apps.values():
            rooms.nicknames.clear()
        await self.channel.ping(self._settings.domain)  # a component can be let in before the domain is there
        await self._after()

    def _take(self, stanza: ET.Element) -> None:
        room, _, nickname = stanza.get("from", "").partition("/")
        if not room.endswith(f"@{self._settings.groups}"):
            return self._take_other(stanza)
        app = stanza.get("to", "").partition("/")[2] or OBSERVER
        self.rooms(app).take(stanza)
        if app != OBSERVER:
            return None
        if stanza.tag.endswith("}presence"):
            return self._take_presence(stanza, room, nickname)
        news = inbound.group(stanza, self._people.get(room, {}).get(nickname))
        if news is not None and bare(news.sender) != self._settings.alerts:
            self._handlers.inbound(news)
        elif child(stanza, "body") is None and not nickname and inbound.is_room_news(stanza):
            self.look_at(room)
        return None

    def _take_other(self, stanza: ET.Element) -> None:
        if stanza.tag.endswith("}presence") or stanza.get("type") == "error":
            return
        if stanza.get("from") == self._settings.groups:  # mod_onechat_rooms: somebody made a room
            for one in stanza:
                if local_name(one) == "room":
                    self.look_at(one.get("jid", ""))
        elif child(stanza, "body") is not None:
            answer = self.channel.element(
                "message",
                from_=self._settings.alerts,
                to=stanza.get("from", ""),
                id=stanza.get("id", ""),
                type_="error",
            )
            error = ET.SubElement(answer, answer.tag.replace("}message", "}error"), {"type": "cancel"})
            ET.SubElement(error, "{urn:ietf:params:xml:ns:xmpp-stanzas}not-allowed")
            ET.SubElement(error, "{urn:ietf:params:xml:ns:xmpp-stanzas}text").text = "Nobody can write to alerts."
            self.channel.send(answer)

    def _take_request(self, request: ET.Element) -> bool:
        """Answer with the vCard of the app whose name the request is for; of others nothing is known."""
        app = request.get("to", "").partition("/")[2]
        if request.find(f"{{{VCARD}}}vCard") is None or not app:
            return False
        task = asyncio.ensure_future(self._send_card(request, app))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return True

    async def _send_card(self, request: ET.Element, app: str) -> None:
        ends = {"from_": request.get("to", ""), "to": request.get("from", ""), "id": request.get("id", "")}
        answer = self.channel.element("iq", type_="result", **ends)
        answer.append(await asyncio.to_thread(card, app, self._icon(app)))
        with suppress(Broken):
            self.channel.send(answer)

    def _take_presence(self, presence: ET.Element, room: str, nickname: str) -> None:
        x = presence.find(f"{{{MUC_USER}}}x")
        if presence.get("type") == "error" or x is None:
            return
        people = self._people.setdefault(room, {})
        item = x.find(f"{{{MUC_USER}}}item")
        if presence.get("type") == "unavailable":
            people.pop(nickname, None)
            if x.find(f"{{{MUC_USER}}}destroy") is not None:
                if not self._clearing:  # else it is our own doing, and no news
                    self._changed(room, None)
            elif item is not None and item.get("affiliation") == "none":
                self.look_at(room)  # somebody left for good, or was put out
        elif item is not None and item.get("jid"):
            people[nickname] = bare(item.get("jid"))

    def look_at(self, room: str) -> None:
        """Look soon at what became of `room`."""
        if room not in self._looking:
            self._looking[room] = asyncio.ensure_future(self._look_at(room))

    async def _look_at(self, room: str) -> None:
        await self._settle()
        task = self._looking.pop(room)  # what changes from here on is to be looked at again
        try:
            self._busy.add(task)
            await self.adopt(room)
        except Exception as error:
            log.warning("The group %s could not be looked at: %s", room, error)
        finally:
            self._busy.discard(task)
