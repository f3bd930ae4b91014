"""JIDs: what is one, and its canonical form. What is none is in `threats/test_21_client_jid_injection.py`."""

from collections.abc import Callable

import pytest

from miniapp import jid
from miniapp.errors import JIDError

CANONICAL = {
    "6581234567@onechat.net": "6581234567@onechat.net",
    "Alice@OneChat.NET": "alice@onechat.net",
    "alice@onechat.net.": "alice@onechat.net",
    "abcdef-123456@muc.onechat.net": "abcdef-123456@muc.onechat.net",
    "a.b+c_d=e~f@onechat.localhost": "a.b+c_d=e~f@onechat.localhost",
    "Ålice@onechat.net": "ålice@onechat.net",  # composed, as ...
    "A\u030alice@onechat.net": "ålice@onechat.net",  # ... decomposed
    "\uff21\uff22\uff23@onechat.net": "abc@onechat.net",  # full-width letters
    "alice@bücher.example": "alice@xn--bcher-kva.example",
    "alice@BÜCHER.example": "alice@xn--bcher-kva.example",
    "alice@127.0.0.1": "alice@127.0.0.1",
    "alice@[::0:1]": "alice@[::1]",
    "onechat.net": "onechat.net",
    "alice@onechat.net/Phone": "alice@onechat.net/Phone",
    "alice@onechat.net/a/b@c": "alice@onechat.net/a/b@c",
    "alice@onechat.net/é": "alice@onechat.net/é",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_a_jid_has_one_canonical_form(text: str) -> None:
    """However an address is written, its canonical form is one, and that parses to itself."""
    parsed = jid.parse(text)
    assert str(parsed) == CANONICAL[text]
    assert jid.parse(str(parsed)) == parsed


def test_the_parts_of_a_jid() -> None:
    """Local part, domain and resource are told apart; `bare` leaves out the resource."""
    parsed = jid.parse("Alice@onechat.net/Phone 1")
    assert (parsed.local, parsed.domain, parsed.resource) == ("alice", "onechat.net", "Phone 1")
    assert parsed.bare == jid.bare("Alice@onechat.net/Phone 1") == "alice@onechat.net"
    assert jid.parse("onechat.net").bare == "onechat.net"


def test_a_group_is_known_by_its_domain() -> None:
    """A group's JID is on a `muc.` domain; the domain itself is no group."""
    assert jid.parse("abc@muc.onechat.net").is_group
    assert not jid.parse("muc.onechat.net").is_group
    assert not jid.parse("muc@onechat.net").is_group
    assert not jid.parse("abc@notmuc.onechat.net").is_group


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (jid.user, "alice@onechat.net", ["abc@muc.onechat.net", "alice@onechat.net/x", "onechat.net"]),
        (jid.group, "abc@muc.onechat.net", ["alice@onechat.net", "abc@muc.onechat.net/x", "muc.onechat.net"]),
        (jid.domain, "onechat.net", ["alice@onechat.net", "onechat.net/x", "one chat", ""]),
        (jid.bare, "alice@onechat.net", ["onechat.net", "onechat.net/x"]),
    ],
)
def test_each_check_takes_its_own_kind(check: object, good: str, bad: list[str]) -> None:
    """A user where a user is needed, a group where a group is, a domain where a domain is; the error has a hint."""
    assert callable(check)
    assert check(good.upper()) == good
    for text in bad:
        with pytest.raises(JIDError) as caught:
            check(text)
        assert caught.value.hint
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("text", ["Alice Tan", "alice", "", "onechat.net", "Alice/Tan@onechat.net"])
@pytest.mark.parametrize("check", [jid.user, jid.group, jid.bare])
def test_what_has_no_local_part_is_refused_for_that(check: Callable[[str], str], text: str) -> None:
    """A user's name is no bad domain: the @ is what is missing."""
    with pytest.raises(JIDError, match="there is no @ in it"):
        check(text)


def test_limits_of_length() -> None:
    """Each part takes 1,023 bytes of UTF-8, and not one more (RFC 7622)."""
    assert jid.parse("a" * 1023 + "@b.net/" + "r" * 1023)
    for text in ("a" * 1024 + "@b.net", "a@b.net/" + "r" * 1024, "é" * 512 + "@b.net", "a@b.net/" + "é" * 512):
        with pytest.raises(JIDError):
            jid.parse(text)
    label = "b" * 63
    assert jid.parse(f"a@{label}.{label}.{label}.{'b' * 61}").domain
    with pytest.raises(JIDError):
        jid.parse(f"a@{label}.{label}.{label}.{'b' * 62}")
