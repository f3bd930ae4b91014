"""A group as large as a department: all are let in, and get each message once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.people import DOMAIN
from support.xmpp.friend import Got
from support.xmpp.host import Host

Eventually = Callable[..., None]

MEMBERS = 200
NAMES = [f"p{number:03}" for number in range(MEMBERS)]
PEOPLE = [f"{name}@{DOMAIN}" for name in NAMES]
OWNER, FRIEND, WRITER, *OTHERS = PEOPLE
PHONES = [OWNER, WRITER, *OTHERS[:2], OTHERS[-1]]
LATE = OTHERS[100]
SECONDS = 60.0  # to invite 200 on a busy machine; alone it takes a few


@pytest.fixture
def large(start: Callable[..., Host], tmp_path: Path) -> Host:
    """A host with 200 users."""
    seed = tmp_path / "seed.toml"
    admin = '[[users]]\nlocal = "admin"\nname = "Ada Wong"\nadmin = true\n'
    seed.write_text(admin + "".join(f'[[users]]\nlocal = "{name}"\nname = "Person {name}"\n' for name in NAMES))
    return start(xmpp_directory=tmp_path / "xmpp", seed=seed)


def test_each_of_200_members_has_each_message_once(large: Host, eventually: Eventually) -> None:
    """Messages of a backend, of a phone and of another client are on five open phones and that client, each once.

    Whose phone was closed, and was invited all the same, has them when it opens.
    """
    friend = large.friend(FRIEND)
    group = large.network.create_group(OWNER, PEOPLE, "Department").jid
    eventually(lambda: friend.invited == [group], SECONDS)
    assert len(large.network.groups(LATE)[0].members) == MEMBERS
    friend.join(group, "Friend")
    for jid in PHONES:
        assert large.shown(jid, group) == []  # opens the phone

    large.api("groupMessage", jid=group, message="Welcome")
    eventually(lambda: friend.texts() == ["Welcome"], SECONDS)
    large.type(WRITER, group, "Thanks")
    eventually(lambda: friend.texts() == ["Welcome", "Thanks"], SECONDS)
    friend.send(group, "From me, too", "groupchat")
    texts = ["Welcome", "Thanks", "From me, too"]
    for jid in (*PHONES, LATE):
        eventually(lambda jid=jid: large.shown(jid, group) == texts, SECONDS)

    large.api("groupMessage", jid=group, message="That is all")
    eventually(lambda: friend.texts()[-1] == "That is all", SECONDS)
    eventually(large.sent_on)
    assert friend.got == [
        Got("groupchat", f"{group}/Lunch", "Welcome"),
        Got("groupchat", f"{group}/Person {NAMES[2]}", "Thanks"),
        Got("groupchat", f"{group}/Friend", "From me, too"),
        Got("groupchat", f"{group}/Lunch", "That is all"),
    ]
    for jid in (*PHONES, LATE, FRIEND):
        assert large.shown(jid) == [*texts, "That is all"]
