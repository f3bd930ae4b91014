"""Threat 20, the client's side: a message that breaks out of its stanza, or that XML can't carry at all."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from miniapp.contract import MESSAGE_MAX_BYTES, message_fault
from miniapp.errors import MessageError
from support import profiles  # noqa: F401
from support.calls import GROUP, USER, client_of
from support.faulthost import FaultHost


@pytest.mark.parametrize("text", ["a\0", "a\x0b", "a\ufffe", "a\uffff", "a\ud800", "\udc80a", "a\x1b[0m", "\x08"])
def test_what_xml_cannot_carry_never_leaves(text: str) -> None:
    """NUL, other control characters, non-characters and lone surrogates are refused before anything is sent."""
    with FaultHost() as host, client_of(host.url) as client:
        for send in (
            lambda: client.send_message(USER, text),
            lambda: client.send_group_message(GROUP, text),
            lambda: client.mass_broadcast(text),
        ):
            with pytest.raises(MessageError):
                send()
    assert host.requests == []


@pytest.mark.parametrize(
    "text", ["]]></body></message><message>", "a\r\nb", "&#0;", "<!--", '"}{"', "a\u2028", "\U0010fffd"]
)
def test_markup_is_text_like_any_other(text: str) -> None:
    """What only looks dangerous reaches the host as it was written."""
    with FaultHost() as host, client_of(host.url) as client:
        client.send_message(USER, text)
    assert json.loads(host.requests[0].body)["message"] == text


@given(st.text(st.characters(exclude_categories=[]), max_size=50) | st.text(max_size=2000).map(lambda text: text * 3))
@example("x" * MESSAGE_MAX_BYTES)
@example("x" * (MESSAGE_MAX_BYTES + 1))
@example("é" * (MESSAGE_MAX_BYTES // 2 + 1))
def test_a_message_is_xml_text_of_bounded_length(text: str) -> None:
    """A text passes exactly if each character is one of XML 1.0's, it isn't blank, and its UTF-8 fits the limit."""

    def allowed(c: str) -> bool:  # XML 1.0, 2.2, as it is printed
        n = ord(c)
        return n in (9, 10, 13) or 0x20 <= n <= 0xD7FF or 0xE000 <= n <= 0xFFFD or 0x10000 <= n <= 0x10FFFF

    fits = all(map(allowed, text)) and bool(text.strip()) and len(text.encode(errors="replace")) <= MESSAGE_MAX_BYTES
    assert (message_fault(text) is None) == fits
