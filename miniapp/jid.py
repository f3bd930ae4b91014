"""JIDs: parse, check, bare form (RFC 7622)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Self

from .errors import JIDError

MAX_PART_BYTES = 1023  # RFC 7622, 3.1: each part, in UTF-8
GROUP_PREFIX = "muc."  # OneChat's groups live on a domain of this form: abcdef-123456@muc.onechat.net

_ASCII_LOCAL = re.compile(r"[!#$%()*+,\-.0-9;=?A-Z\[\\\]^_`a-z{|}~]+\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_LOCAL_EXCLUDED = frozenset("\"&'/:<>@")  # RFC 7622, 3.3.1


@dataclass(frozen=True, slots=True)
class JID:
    """Hold an XMPP address in canonical form: two that mean the same are equal.

    `local` is `""` only for a bare domain, `resource` is `""` for a bare JID. `str()` gives the whole address.
    """

    local: str
    domain: str
    resource: str = ""

    def __str__(self) -> str:
        return self.bare + (f"/{self.resource}" if self.resource else "")

    @property
    def bare(self) -> str:
        """`local@domain`, or `domain`."""
        return f"{self.local}@{self.domain}" if self.local else self.domain

    @property
    def is_group(self) -> bool:
        """Whether this is a OneChat group, by its `muc.` domain."""
        return bool(self.local) and self.domain.startswith(GROUP_PREFIX)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Hold the addressee of a message: a user or a group by its bare JID, or all users of a domain.

    `kind` is `user`, `group` or `domain`; `jid` is in canonical form.
    """

    kind: Literal["user", "group", "domain"]
    jid: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the recipient that `text` names. Raises `JIDError`, also if `text` has a resource."""
        jid = _bare(text)
        return cls("group" if jid.is_group else "user" if jid.local else "domain", jid.bare)


def _bad(why: str) -> JIDError:
    # The value is not repeated: it may be long, hostile, or something else pasted into the wrong field.
    return JIDError(f"Not a JID: {why}.", hint="A JID looks like 6581234567@onechat.net.")


def _local(text: str) -> str:
    if not text:
        raise _bad("the part before @ is empty")
    if _ASCII_LOCAL.match(text):
        text = text.lower()
    else:
        if any(c in _LOCAL_EXCLUDED or c.isspace() or not c.isprintable() for c in text):
            raise _bad("the part before @ has a character that is not allowed there")
        from precis_i18n import get_profile  # only for names beyond ASCII: its tables take a while to load

        try:
            text = get_profile("UsernameCaseMapped").enforce(text)
        except UnicodeError:
            raise _bad("the part before @ has a character that is not allowed there") from None
        if any(c in _LOCAL_EXCLUDED for c in text):
            raise _bad("the part before @ has a character that is not allowed there")
    if len(text.encode()) > MAX_PART_BYTES:
        raise _bad("the part before @ is too long")
    return text


def _domain(text: str) -> str:
    text = text[:-1] if text.endswith(".") else text
    if not text:
        raise _bad("the domain is empty")
    if text.startswith("[") and text.endswith("]"):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        except ValueError:
            raise _bad("the domain is not an IPv6 address") from None
    if not text.isascii():
        import idna

        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise _bad("the domain is not a host name") from None
    text = text.lower()
    if len(text) > 253 or not all(_LABEL.match(label) for label in text.split(".")):
        raise _bad("the domain is not a host name")
    return text


def _resource(text: str) -> str:
    if not text:
        raise _bad("the part after / is empty")
    if len(text.encode(errors="replace")) > MAX_PART_BYTES:
        raise _bad("the part after / is too long")
    if not all(" " <= c <= "~" for c in text):
        from precis_i18n import get_profile

        try:
            return str(get_profile("OpaqueString").enforce(text))
        except UnicodeError:
            raise _bad("the part after / has a character that is not allowed there") from None
    return text


def parse(text: str) -> JID:
    """Return the JID that `text` writes, in canonical form (RFC 7622: PRECIS, IDNA). Raises `JIDError`."""
    if not isinstance(text, str):  # what comes out of a page's JSON may be anything
        raise _bad("it is not text")
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> JID:
    if len(text) > 3 * MAX_PART_BYTES + 2:
        raise _bad("it is too long")
    address, slash, resource = text.partition("/")
    local, at, domain = address.rpartition("@")
    return JID(_local(local) if at else "", _domain(domain), _resource(resource) if slash else "")


def _need_at(text: str) -> None:
    """Refuse what has no local part for that reason, whatever else is wrong with it: a name is no bad domain."""
    if isinstance(text, str) and "@" not in text.partition("/")[0]:
        raise _bad("there is no @ in it")


def bare(text: str) -> str:
    """Return the canonical `local@domain` of `text`; a resource is dropped. Raises `JIDError`."""
    _need_at(text)
    return parse(text).bare


def user(text: str) -> str:
    """Return the canonical bare JID of a person: no resource, no group. Raises `JIDError`."""
    jid = _addressee(text)
    if jid.is_group:
        raise JIDError("This is a group's JID, where a user's is needed.", hint="Use the call for groups.")
    return jid.bare


def group(text: str) -> str:
    """Return the canonical bare JID of a group (`…@muc.domain`). Raises `JIDError`."""
    jid = _addressee(text)
    if not jid.is_group:
        raise JIDError("This is not a group's JID.", hint="A group's looks like abcdef-123456@muc.onechat.net.")
    return jid.bare


def domain(text: str) -> str:
    """Return the canonical domain that `text` names. Raises `JIDError`."""
    jid = parse(text)
    if jid.local or jid.resource:
        raise JIDError("A domain is needed, not an address.", hint="A domain looks like onechat.net.")
    return jid.domain


def _addressee(text: str) -> JID:
    _need_at(text)
    return _bare(text)


def _bare(text: str) -> JID:
    jid = parse(text)
    if jid.resource:
        raise JIDError("A bare JID is needed.", hint="Leave out the part after /.")
    return jid
