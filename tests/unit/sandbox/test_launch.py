"""Host names of users and apps: each a DNS label of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniapp import jid
from miniapp.errors import JIDError
from miniapp.sandbox.store.records import App
from miniapp.sandbox.web.launch import app_label, user_label

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


@pytest.mark.parametrize("local", ["alice", "6581234567", "a-b", "x" * 63])
def test_a_plain_local_part_is_its_own_label(local: str) -> None:
    """Wherever the local part can be a label, it is."""
    assert user_label(f"{local}@onechat.localhost") == local


@pytest.mark.parametrize(
    "local", ["a.b", "a_b", "a--b", "-a", "a-", "zoë", "李", "x" * 64, "a+b", "alice-0123456789abcdef"]
)
def test_any_other_gets_a_label_with_a_hash(local: str) -> None:
    """What can't be a label, or looks like one that was made, gets a hash of its own."""
    label = user_label(f"{local}@onechat.localhost")
    assert LABEL.match(label)
    assert label != local


def test_users_who_look_alike_share_no_label() -> None:
    """Neither do those who choose the name that another one was given."""
    locals_ = ["a.b", "a_b", "a+b", "a-b", "a--b", user_label("a.b@x"), user_label(f"{user_label('a.b@x')}@x")]
    assert len({user_label(f"{local}@x") for local in locals_}) == len(set(locals_))


@given(st.text(min_size=1, max_size=80))
def test_every_jid_has_a_label(local: str) -> None:
    """Whatever a JID's local part is, the label is one that DNS takes."""
    try:
        address = jid.user(f"{local}@onechat.localhost")
    except JIDError:
        return
    assert LABEL.match(user_label(address))


def app(name: str, app_id: str = "app-0123456789ab") -> App:
    return App(app_id, name, "", "http://localhost/", "admin@onechat.localhost", "approved", datetime.now(UTC))


@pytest.mark.parametrize("name", ["Lunch", "Lunch poll", "午餐", "-", "x" * 200, "alice.onechat.localhost"])
def test_an_app_has_a_label_that_names_it(name: str) -> None:
    """Whatever an app is called, DNS takes its label; two apps of one name have two."""
    label = app_label(app(name))
    assert LABEL.match(label)
    assert label != app_label(app(name, "app-ba9876543210"))


def test_the_label_of_an_app_can_be_read() -> None:
    """The name stands in front, for the person who reads the address."""
    assert app_label(app("Lunch poll")).startswith("lunch-poll-")
