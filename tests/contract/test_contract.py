"""The contract is OneChat's page, as data: names, samples and spelling are compared with what the page prints."""

import re

import pytest

from miniapp import contract, jid

# The tables of OneChat's page: the body fields of each call, and what its answer has beside status and description.
PAGE = {
    "massBroadcast": (["domain", "message"], True, []),
    "singleMessage": (["jid", "message"], True, []),
    "groupMessage": (["jid", "message"], True, []),
    "registerMiniApp": (["adminJid", "sessionId", "appName", "appIcon", "appUrl"], False, ["appId", "apiKey"]),
    "authenticateUser": (["jid", "sessionId", "appId", "apiKey"], False, ["isAuthenticated"]),
}
BRIDGE = {
    "user.getSessionID": [],
    "user.deviceInfo": [],
    "user.getVCard": [],
    "user.selectContacts": ["maxNumberOfSelection", "success"],
    "message.single.relay": ["recipient", "textMessage", "success", "fail"],
    "message.group.relay": ["groupJid", "invitees", "textMessage", "success", "fail"],
}


@pytest.mark.parametrize("name", PAGE)
def test_the_calls_are_the_pages(name: str) -> None:
    """Each call has the fields, the place of the key and the answers that OneChat's page has, in its order."""
    call = contract.CALLS[name]
    fields = [field.name for field in call.fields]
    assert (fields, call.keyed, [answer.name for answer in call.answers]) == PAGE[name]
    assert call.name == name
    assert all(field.description for field in call.fields)


def test_there_are_no_other_calls_and_functions() -> None:
    """What the page doesn't have, the contract doesn't have."""
    assert list(contract.CALLS) == list(PAGE)
    assert list(contract.BRIDGE) == list(BRIDGE)


@pytest.mark.parametrize("name", BRIDGE)
def test_the_bridge_functions_are_the_pages(name: str) -> None:
    """Each function of `window.OC` takes the properties that OneChat's page names."""
    function = contract.BRIDGE[name]
    assert [param.name for param in function.params] == BRIDGE[name]
    assert function.path == tuple(name.split("."))


def test_the_connection_statuses_are_the_pages() -> None:
    """The chat plugin has the eight statuses that OneChat's page lists."""
    assert len(contract.CONNECTION_STATUSES) == 8
    assert all(re.fullmatch(r"XMPP_CONNECTION_[A-Z_]+", status) for status in contract.CONNECTION_STATUSES)


def test_the_pages_samples_are_valid() -> None:
    """What the page gives as a sample passes the check of its kind."""
    checks = {"user": jid.user, "group": jid.group, "domain": jid.domain}
    for call in contract.CALLS.values():
        for field in call.fields:
            if field.sample and field.kind in checks:
                assert checks[field.kind](field.sample) == field.sample
            elif field.kind == "message":
                assert contract.message_fault(field.sample) is None
    assert contract.KEY.match("j4w4tty4Lw80hAbAHQGKwto")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Hi", None),
        ("x" * 4096, None),
        ("x" * 4097, "longer"),
        ("é" * 2049, "longer"),
        ("", "empty"),
        (" \n\t", "empty"),
        ("\0", "character"),
        ("a\x0bb", "character"),
        (None, "not text"),
        (b"Hi", "not text"),
        (1, "not text"),
    ],
)
def test_faults_of_messages_are_named(text: object, fault: str | None) -> None:
    """A text that can't be a message is told why."""
    found = contract.message_fault(text)
    assert found is None if fault is None else fault in str(found)


@pytest.mark.parametrize("pattern", [contract.KEY, contract.SESSION_ID])
def test_keys_and_session_ids_are_visible_ascii(pattern: re.Pattern[str]) -> None:
    """No blank, line end or letter beyond ASCII, at the end either, and at least eight characters."""
    assert pattern.match("abcdefg1")
    for text in ("abcdefg", "abcdefg1\n", "abcdefg 1", "abcdefgé", "abcdefg\x7f", "abcdefg1\r\nX: y", "x" * 513):
        assert not pattern.match(text)
