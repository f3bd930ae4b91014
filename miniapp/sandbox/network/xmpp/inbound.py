"""Messages as they come from an XMPP server: one record, whichever way they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from ...store.records import MessageKind
from .channel import Archived, bare, child, local_name, text_of

SID = "urn:xmpp:sid:0"
CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"
DELAY = "urn:xmpp:delay"
MUC = "http://jabber.org/protocol/muc"
MUC_USER = f"{MUC}#user"
OWNER = f"{MUC}#owner"
CONFERENCE = "jabber:x:conference"
HINTS = "urn:xmpp:hints"


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message between people that some XMPP client wrote, ours or another.

    `owner` is the user or room whose stream or archive it came from, `archive_id` its ID in that archive, if it is kept
    there. `stanza_id` is its sender's choice, and may be missing. `at`: seconds since 1970, None for now.
    """

    kind: MessageKind
    sender: str
    to: str
    text: str
    owner: str
    archive_id: str
    stanza_id: str
    at: float | None


def direct(message: ET.Element, owner: str, at: str = "", archive_id: str = "") -> Inbound | None:
    """Return what `message` says, which `owner` wrote or got, or None if it says nothing."""
    text = text_of(message, "body")
    if not text or message.get("type", "normal") not in ("chat", "normal"):
        return None
    sender, to = bare(message.get("from")) or owner, bare(message.get("to")) or owner
    if owner not in (sender, to):
        return None
    return _inbound("direct", message, sender, to, text, owner, at, archive_id)


def group(message: ET.Element, sender: str | None, at: str = "", archive_id: str = "") -> Inbound | None:
    """Return what `message` says in the room that it comes from, or None. `sender` has the nickname, if known."""
    text = text_of(message, "body")
    if not text or message.get("type") != "groupchat":
        return None
    room = bare(message.get("from"))
    item = message.find(f"{{{MUC_USER}}}x/{{{MUC_USER}}}item")
    sender = bare(item.get("jid")) if item is not None and item.get("jid") else sender
    if not sender:
        return None
    return _inbound("group", message, sender, room, text, room, at, archive_id)


def from_archive(archived: Archived, owner: str) -> Inbound | None:
    """Return what one message of the archive of the user or room `owner` says."""
    if archived.message.get("type") == "groupchat":
        return group(archived.message, None, archived.at, archived.archive_id)
    if invitation(archived.message) is not None:  # live, it is none of the person's messages either
        return None
    return direct(archived.message, owner, archived.at, archived.archive_id)


def carbon(message: ET.Element, owner: str) -> ET.Element | None:
    """Return the message that this one carries as a copy for another client of `owner` (XEP-0280)."""
    for way in ("sent", "received"):
        inner = message.find(f"{{{CARBONS}}}{way}/{{{FORWARD}}}forwarded")
        if inner is not None and bare(message.get("from")) == owner:
            return child(inner, "message")
    return None


def invitation(message: ET.Element) -> tuple[str, str] | None:
    """Return the room into which this message invites, and who does: by way of the room or, by XEP-0249, directly."""
    sender = bare(message.get("from"))
    invite = message.find(f"{{{MUC_USER}}}x/{{{MUC_USER}}}invite")
    if invite is not None:
        return sender, bare(invite.get("from")) or sender
    conference = message.find(f"{{{CONFERENCE}}}x")
    return None if conference is None else (bare(conference.get("jid")), sender)


def _inbound(
    kind: MessageKind, message: ET.Element, sender: str, to: str, text: str, owner: str, at: str, archive_id: str
) -> Inbound:
    archive_id = archive_id or _archive_id(message, owner)
    return Inbound(kind, sender, to, text, owner, archive_id, _stanza_id(message), seconds(at or delayed(message)))


def _stanza_id(message: ET.Element) -> str:
    """Return the ID that the author gave to the message, or nothing."""
    origin = message.find(f"{{{SID}}}origin-id")
    return (origin.get("id", "") if origin is not None else "") or message.get("id", "")


def _archive_id(message: ET.Element, owner: str) -> str:
    """Return the ID of a live message in the archive of `owner`, or nothing. Forged ones stand before it."""
    ids = [one.get("id", "") for one in message.findall(f"{{{SID}}}stanza-id") if one.get("by") == owner]
    return ids[-1] if ids else ""


def delayed(message: ET.Element) -> str:
    """Return when a message that had to wait was sent, or nothing."""
    delay = message.find(f"{{{DELAY}}}delay")
    return delay.get("stamp", "") if delay is not None else ""


def seconds(stamp: str) -> float | None:
    """`stamp`, as XEP-0082 writes it, in seconds since 1970."""
    try:
        return datetime.fromisoformat(stamp).timestamp() if stamp else None
    except ValueError:
        return None


def statuses(stanza: ET.Element) -> set[str]:
    """Return the status codes of a room (XEP-0045) in this stanza."""
    return {one.get("code", "") for one in stanza.findall(f"{{{MUC_USER}}}x/{{{MUC_USER}}}status")}


def is_room_news(message: ET.Element) -> bool:
    """Return whether a room tells that its name or its members have changed."""
    x = message.find(f"{{{MUC_USER}}}x")
    return x is not None and any(local_name(one) in ("status", "item") for one in x)
