"""Single values out of a body, checked: each refusal names the field and the reason, and never repeats the value."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ... import contract, jid
from ...errors import JIDError
from ...hosts import is_loopback
from ..store.records import Refusal

NAME_MAX = 100  # characters; more fits on no phone's title bar
URL_MAX = 2048  # characters; what browsers and proxies surely take
_JOINERS = frozenset("\u200c\u200d" + "".join(map(chr, range(0xE0020, 0xE0080))))
"""Invisible characters that Unicode text needs: many scripts and emoji have joiners, some flags are spelt in tags."""
_NO_TEXT = {
    "Cc": "a control character",
    "Cf": "a format character",
    "Co": "for private use",
    "Cs": "half of a surrogate pair",
    "Zl": "a line break",
    "Zp": "a line break",
}
"""The Unicode categories of characters that are no text, and what one is called that has no name."""
_BLANK_OR_CONTROL = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_field(name: str, kind: contract.FieldKind, body: dict[str, Any]) -> str:
    """Return the value of the field `name`, in canonical form. Raises `Refusal`."""
    value = body.get(name)
    if value is None:
        raise Refusal(f"{name}: is missing.")
    if not isinstance(value, str):
        raise Refusal(f"{name}: is not text.")
    if not value:
        raise Refusal(f"{name}: is empty.")
    try:
        return _CHECKS[kind](value)
    except ValueError as fault:
        reason = str(fault)
        raise Refusal(f"{name}: {reason[0].lower()}{reason[1:]}") from None


def jid_list(name: str, value: Any) -> list[str]:
    """Return the users' JIDs that `value` lists, each once. Raises `Refusal`."""
    if not isinstance(value, list) or not value:
        raise Refusal(f"{name}: is not a list of JIDs.")
    if len(value) > contract.MEMBERS_MAX:
        raise Refusal(f"{name}: has more than {contract.MEMBERS_MAX} entries.")
    return list(dict.fromkeys(check_field(name, "user", {name: entry}) for entry in value))


def read_number(name: str, text: str | None, most: int) -> int | None:
    """Return the number from 1 to `most` that a query's parameter gives, None if it gives nothing. Raises `Refusal`."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise Refusal(f"{name}: is not a number from 1 to {most}.")
    return int(text)


def _jid(parse: Callable[[str], str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            return parse(value)
        except JIDError as error:
            raise ValueError(str(error)) from None

    return check


def _message(value: str) -> str:
    if fault := contract.message_fault(value):
        raise ValueError(f"{fault}.")
    return value


def _name(value: str) -> str:
    text = value.strip()
    if fault := text_fault(text):
        raise ValueError(fault)
    if len(text) > NAME_MAX or all(char in _JOINERS or unicodedata.category(char)[0] in "MZ" for char in text):
        raise ValueError(f"is not a name of 1 to {NAME_MAX} visible characters.")
    return text


def text_fault(text: str) -> str:
    """Say which character of `text` is neither visible nor part of one that is, "" if there is none.

    Controls, marks that turn the direction of writing and line breaks are refused.
    """
    for char in text:
        kind = unicodedata.category(char)
        if (kind in _NO_TEXT and char not in _JOINERS) or ord(char) & 0xFFFE == 0xFFFE:
            name = unicodedata.name(char, _NO_TEXT.get(kind, "no character"))
            return f"has U+{ord(char):04X} ({name}), which can't be in a name."
    return ""


def _credential(value: str) -> str:
    return value  # whether it is right is for the store: a wrong form is as wrong as a wrong value


def _url(value: str) -> str:
    """Return a URL that a browser may be sent to. The sandbox itself never fetches one."""
    if len(value) > URL_MAX or _BLANK_OR_CONTROL.search(value):
        raise ValueError("is not a URL: it is too long, or has blanks or control characters.")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an https URL.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user name in it.")
    if "#" in value:
        raise ValueError("has a fragment, which is where the launch data goes.")
    if not _is_host(parts.hostname):
        raise ValueError("has a host that is neither a name nor an address in its usual form.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is http, which is for this machine only: use https.")
    return value


def _is_host(hostname: str) -> bool:
    """No other ways to write an address (127.1, 2130706433, 0x7f.1, ::ffff:127.0.0.1), which hide where it leads."""
    if ":" in hostname:
        try:
            return ipaddress.IPv6Address(hostname).ipv4_mapped is None
        except ValueError:
            return False
    # WHATWG URL: a host whose last label is a number, 0x7f too, is an IPv4 address however it is written.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", hostname.rstrip(".").rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(hostname)) == hostname
        except ValueError:
            return False
    try:
        jid.domain(hostname)
    except JIDError:
        return False
    return True


_CHECKS: dict[contract.FieldKind, Callable[[str], str]] = {
    "user": _jid(jid.user),
    "group": _jid(jid.group),
    "domain": _jid(jid.domain),
    "message": _message,
    "session": _credential,
    "app_id": _credential,
    "api_key": _credential,
    "name": _name,
    "url": _url,
}
