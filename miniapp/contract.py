"""OneChat's documented surface as data: calls, fields, bridge functions, samples, limits.

Everything that repeats the documentation is made from this module: the shim and its typings, the sandbox's
validation, the reference tables. The names are spelt exactly as OneChat's API page spells them, `apikey` (a
header) and `apiKey` (a body field) included. What the page leaves open is marked as ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

API_URL = "https://app.onechat.net/onechat/api"
"""Where OneChat's REST API is; every call is a POST to `{API_URL}/{call}`."""

API_PATH = "/onechat/api"
DOMAIN = "onechat.net"
APIKEY_HEADER = "apikey"
SUCCESS, ERROR = "Success", "Error"
DESCRIPTION_OK = "-"

# Limits of ours: the page names none. An XMPP server's usual stanza limit is 256 KiB (Prosody) or 64 KiB (ejabberd),
# and a text of 4 KiB fits either with every character escaped.
MESSAGE_MAX_BYTES = 4096
MEMBERS_MAX = 1000
BODY_MAX_BYTES = 1024 * 1024

FieldKind = Literal["user", "group", "domain", "message", "session", "app_id", "api_key", "name", "url"]


@dataclass(frozen=True)
class Field:
    """One field of a request. `kind` says what its text must be."""

    name: str
    kind: FieldKind
    description: str
    sample: str = ""


@dataclass(frozen=True)
class AnswerField:
    """One attribute of an answer, beside `status` and `description`, which every answer has."""

    name: str
    description: str
    sample: str = ""


@dataclass(frozen=True)
class Call:
    """One REST call. `keyed` calls carry the API key in the header `apikey`; all fields are mandatory."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    keyed: bool
    answers: tuple[AnswerField, ...] = ()


CALLS: dict[str, Call] = {
    call.name: call
    for call in (
        Call(
            "massBroadcast",
            "Mass broadcast API",
            "Allows admin/system to mass broadcast to every user in the specific domain",
            (
                Field("domain", "domain", "Domain to be broadcasted", "onechat.net"),
                Field("message", "message", "Message to be broadcasted", "Hi"),
            ),
            keyed=True,
        ),
        Call(
            "singleMessage",
            "1-2-1 alert message relay API",
            "Allows admin/system to send message to a particular user",
            (
                Field("jid", "user", "The jid of the specific user", "6581234567@onechat.net"),
                Field("message", "message", "Message to be broadcasted", "Hi"),
            ),
            keyed=True,
        ),
        Call(
            "groupMessage",
            "Group alert message relay API",
            "Allows admin/system to send message to a particular group",
            (
                Field("jid", "group", "The jid of the specific group", "abcdef-123456@muc.onechat.net"),
                Field("message", "message", "Message to be broadcasted", "Hi"),
            ),
            keyed=True,
        ),
        Call(
            "registerMiniApp",
            "registerMiniApp",
            "Register new mini app in OneChat Admin Portal",
            (
                Field("adminJid", "user", "Admin Username"),
                Field("sessionId", "session", "Session ID"),
                Field("appName", "name", "Mini App Name"),
                Field("appIcon", "url", "Mini App Icon"),
                Field("appUrl", "url", "Mini App URL"),
            ),
            keyed=False,
            answers=(AnswerField("appId", "Application ID"), AnswerField("apiKey", "apiKey for API calls")),
        ),
        Call(
            "authenticateUser",
            "authenticateUser",
            "Authenticate user session ID for Mini App Server",
            (
                Field("jid", "user", "Username"),
                Field("sessionId", "session", "Session ID"),
                Field("appId", "app_id", "Application ID"),
                Field("apiKey", "api_key", "apiKey for API calls"),
            ),
            keyed=False,
            answers=(AnswerField("isAuthenticated", "Returns user validity", "True, False"),),
        ),
    )
}


@dataclass(frozen=True)
class Param:
    """One property of the object that a bridge function takes. `ts` is its TypeScript type."""

    name: str
    ts: str
    description: str
    optional: bool = False


@dataclass(frozen=True)
class BridgeFunction:
    """One function of `window.OC`, the interface between page and container.

    A function without `params` is synchronous and returns a JSON string (or, for the session ID, a plain string).
    One with `params` takes an object with callbacks; `success` is given `success_ts`. The Promise that we add
    carries `promise_ts`. `people` marks calls that wait for a person.
    """

    name: str
    description: str
    params: tuple[Param, ...] = ()
    success_ts: str = ""
    promise_ts: str = ""
    sample: str = ""
    people: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The steps from `OC` to the function."""
        return tuple(self.name.split("."))


_CALLBACK = "called when the call failed"

BRIDGE: dict[str, BridgeFunction] = {
    function.name: function
    for function in (
        BridgeFunction("user.getSessionID", "Get user active session ID.", sample="string"),
        BridgeFunction(
            "user.deviceInfo",
            "Get current device model number and screen size.",
            sample='{"device":"iPhone 7","os":"iOS 11.0","screenWidth":"","screenHeight":""}',
        ),
        BridgeFunction(
            "user.getVCard",
            "Get user vCard.",
            sample='{"jid":"user@domain.tld","userName":"Your username","avatar":"..."}',
        ),
        BridgeFunction(
            "user.selectContacts",
            "Shows OneChat contacts selector.",
            (
                Param("maxNumberOfSelection", "number", "1, 2, 3..., -1 for unlimited (default)", optional=True),
                Param(
                    "success",
                    "(selected: string) => void",
                    "given a JSON array of JIDs, '[]' if cancelled",
                    True,
                ),
            ),
            success_ts="string",
            promise_ts="string[]",
            sample='["user1@domain.tld","user2@domain.tld"]',
            people=True,
        ),
        BridgeFunction(
            "message.single.relay",
            "To share / broadcast message to single chat.",
            (
                Param("recipient", "string | readonly string[]", "JSON array of JIDs (an array is taken too)"),
                Param("textMessage", "string", "the message"),
                Param("success", "() => void", "called when all messages were sent", optional=True),
                Param("fail", "(error: OCError) => void", _CALLBACK, optional=True),
            ),
            promise_ts="void",
            people=True,
        ),
        BridgeFunction(
            "message.group.relay",
            "To share / broadcast message to group chat.",
            (
                Param(
                    "groupJid",
                    "string",
                    "the group; without it, one is created with the invitees",
                    optional=True,
                ),
                Param(
                    "invitees",
                    "string | readonly string[]",
                    "JSON array of JIDs (an array is taken too); ignored if groupJid is given",
                    optional=True,
                ),
                Param("textMessage", "string", "the message"),
                Param("success", "(groupJid: string) => void", "given the group's JID", optional=True),
                Param("fail", "(error: OCError) => void", _CALLBACK, optional=True),
            ),
            success_ts="string",
            promise_ts="string",
            people=True,
        ),
    )
}

CONNECTION_STATUSES = tuple(
    f"XMPP_CONNECTION_{status}"
    for status in (
        "IDLE",
        "DISCONNECTED",
        "CONNECTED",
        "CONNECTED_READY",
        "CONNECTING",
        "AUTHFAIL",
        "CONNFAIL",
        "ERROR",
    )
)
"""What the chat plugin's `ocwp.getConnectionStatus()` returns one of."""

KEY = re.compile(r"[\x21-\x7e]{8,256}\Z")
"""An app ID's or API key's form (ours): visible ASCII, so that it can be an HTTP header and nothing can hide in it."""

SESSION_ID = re.compile(r"[\x21-\x7e]{8,512}\Z")
"""A session ID's form (ours): long enough not to be guessed, visible ASCII."""

# XML 1.0 (2.2) allows no other character in a message, escaped or not; XMPP is XML.
_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # compiled when needed: that takes 3 ms


def message_fault(text: object) -> str | None:
    """Why `text` can't be a message, or None if it can: 1 to `MESSAGE_MAX_BYTES` bytes of UTF-8, XML characters."""
    if not isinstance(text, str):
        return "is not text"
    if not text.strip():
        return "is empty"
    if re.search(_NOT_XML, text):
        return "has a character that XMPP can't carry (a control character, say)"
    if len(text.encode()) > MESSAGE_MAX_BYTES:
        return f"is longer than {MESSAGE_MAX_BYTES} bytes"
    return None
