"""Use the pytest plugin's fixtures as the author of an app's tests does. mypy checks this file."""

from collections.abc import Callable
from typing import Any, assert_type

from flask import Flask
from flask.testing import FlaskClient

from miniapp.testing.controls import Controls
from miniapp.testing.onechat import LocalOneChat, Person


def test_votes(onechat: LocalOneChat, alice: Person, login: Callable[[Flask, Person | str], FlaskClient]) -> None:
    """Use each public name of what the fixtures give."""
    app = Flask(__name__)
    assert_type(alice.jid, str)
    assert_type(alice.name, str)
    assert_type(alice.avatar, str)
    assert_type(alice.admin, bool)
    assert_type(login(app, alice).get("/").status_code, int)
    assert_type(onechat.alice, Person)
    assert_type(onechat.bob, Person)
    assert_type(onechat.admin, Person)
    assert_type(onechat.users, dict[str, Person])
    assert_type(onechat.domain, str)
    assert_type(onechat.url, str)
    assert_type(onechat.app_id, str)
    assert_type(onechat.config, dict[str, Any])
    assert_type(onechat.controls, Controls)
    assert_type(onechat.connect(app), Flask)
    assert_type(onechat.register("Lunch"), tuple[str, str])
    assert_type(onechat.settings("the app ID", "the API key"), dict[str, Any])
    assert_type(onechat.session(alice, app_id="the app ID"), str)
    assert_type(onechat.expire("6581234567@onechat.net"), int)
    assert_type(onechat.revoke(alice), int)
    assert_type(onechat.fail("singleMessage", 2, {"status": 503}), None)
    assert_type(onechat.sent("singleMessage"), list[dict[str, Any]])
    assert_type(onechat.messages(alice), list[dict[str, Any]])
    onechat.messages(7)  # type: ignore[arg-type]
