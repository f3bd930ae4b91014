"""Threat 21, the client's side: something that is no JID, or more than one, is taken for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from miniapp import jid
from miniapp.errors import JIDError
from support import profiles  # noqa: F401
from support.calls import SESSION, client_of
from support.faulthost import FaultHost

BAD = [
    "", "@", "a@", "@b.net", "a@b@c.net", "a@b.net/", "a@b.net/c", "a b@c.net", "a@b c.net", "a@b.net\n", "\na@b.net",
    "a\0@b.net", "a@b..net", "a@-b.net", "a@b_c.net", "a<b>@c.net", 'a"b@c.net', "a'b@c.net", "a&b@c.net", "a:b@c.net",
    "a/b@c.net", "a@b.net,c@d.net", "a@b.net;c@d.net", "a@[::1", "a@[b]", "\u202ea@b.net", "a\u200b@b.net",
    "\ud800@b.net", "a@\ud800.net", "a\u2028@b.net", "x" * 1024 + "@b.net", "a@" + "b" * 64 + ".net",
    "a@" + "b." * 150 + "net", "♥@b.net", "a@b.net\u3002", "a%00@b.net\0",
    None, 1, b"a@b.net", ["a@b.net"], {"jid": "a@b.net"}, True,
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_what_is_no_users_jid_never_leaves(text: str) -> None:
    """Empty parts, second addresses, resources, quotes, blanks and invisible characters are refused unsent."""
    with FaultHost() as host, client_of(host.url) as client:
        for call in (
            lambda: client.send_message(text, "Hi"),
            lambda: client.send_group_message(text, "Hi"),
            lambda: client.authenticate_user(text, SESSION),
        ):
            with pytest.raises(JIDError) as caught:
                call()
            if isinstance(text, str) and len(text) > 3:
                assert text not in str(caught.value)
    assert host.requests == []


ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=30)
NEARLY = st.builds("{}@{}".format, ANYTHING, st.sampled_from(["onechat.net", "muc.onechat.net", "ONECHAT.net."]))
PLAIN = st.from_regex(r"[A-Za-z0-9.!#$*=?^_`{|}~+-]{1,20}@[a-z]{1,5}\.net(/[ -~]{1,9})?", fullmatch=True)


@given(ANYTHING | NEARLY | PLAIN | st.builds("{}@{}/{}".format, ANYTHING, ANYTHING, ANYTHING))
@example("Straße@onechat.net")
@example("İ@onechat.net")
@example("ﬀ@onechat.net")
@example("a@ß.net")
def test_any_text_is_a_canonical_jid_or_an_error(text: str) -> None:
    """Parsing ends in `JIDError` or in a canonical form, which parses to itself and holds no separator in a part."""
    try:
        parsed = jid.parse(text)
    except JIDError:
        return
    assert jid.parse(str(parsed)) == parsed
    assert not set(parsed.local) & set("\"&'/:<>@ \0\r\n\t")
    assert parsed.domain
    assert parsed.domain.isascii()
    assert parsed.domain == parsed.domain.lower()
    assert "@" not in parsed.domain
    assert "/" not in parsed.domain
    str(parsed).encode()
    for check in (jid.user, jid.group):
        try:
            canonical = check(text)
        except JIDError:
            continue
        assert canonical == parsed.bare
        assert check(canonical) == canonical
        assert not parsed.resource
