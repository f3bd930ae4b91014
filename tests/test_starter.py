"""Tests of the mini app. The fixtures come with onechat-miniapp: a OneChat in this process, and its users."""

from __future__ import annotations

import pytest

from wsgi import create_app


@pytest.fixture
def app(onechat, bob):
    """The app in a OneChat where Bob is its admin."""
    return create_app({**onechat.config, "APP_NAME": "Lunch", "ADMIN_JIDS": bob.jid})


def test_a_stranger_gets_nothing_but_the_login(app):
    """Without a login there is a 401 page that logs in by itself, and nothing of the app on it."""
    answer = app.test_client().get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "data-login" in answer.text
    assert "Remind me" not in answer.text


@pytest.mark.parametrize("path", ["/api/alerts", "/api/group-alerts", "/api/broadcast"])
def test_a_stranger_can_send_nothing(app, onechat, path):
    """Without a login no view sends anything, and a script learns why as JSON."""
    onechat.connect(app)
    answer = app.test_client().post(path, data={"message": "Hi"})
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "signed_out"
    assert onechat.sent() == []


def test_the_page_greets_its_user(app, login, alice):
    """The page names the verified user, and carries the shim."""
    answer = login(app, alice).get("/")
    assert answer.status_code == 200
    assert alice.jid in answer.text
    assert "<title>Lunch</title>" in answer.text
    assert "oc.js" in answer.text


def test_no_script_or_style_is_inline(app, login, alice):
    """The page keeps to the content security policy: scripts come from files, and it has no inline styles."""
    answer = login(app, alice).get("/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.text.count("<script") == answer.text.count(" src=") - answer.text.count("<img src=")
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


def test_onechat_can_show_the_icon(app):
    """The icon needs no login, and pages of other origins may show it."""
    with app.test_client().get("/static/icon.svg") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "image/svg+xml"
        assert "Cross-Origin-Resource-Policy" not in answer.headers


def test_remind_me_alerts_the_user(app, login, onechat, alice):
    """The app alerts the user who asked, with the user's text."""
    assert login(app, alice).post("/api/alerts", data={"message": "Lunch at 12:30?"}).status_code == 204
    (sent,) = onechat.sent()
    assert (sent["call"], sent["to"], sent["text"]) == ("singleMessage", alice.jid, "Lunch at 12:30?")


def test_a_group_alert_names_its_sender(app, login, onechat, alice):
    """The app alerts a group, and says who had it do so."""
    group = f"lunch-100200@muc.{onechat.domain}"
    answer = login(app, alice).post("/api/group-alerts", data={"groupJid": group, "message": "Soup!"})
    assert answer.status_code == 204
    (sent,) = onechat.sent("groupMessage")
    assert sent["to"] == group
    assert alice.jid in sent["text"]
    assert "Soup!" in sent["text"]


def test_a_group_alert_goes_to_groups_alone(app, login, onechat, alice, bob):
    """No user can be reached as a group."""
    answer = login(app, alice).post("/api/group-alerts", data={"groupJid": bob.jid, "message": "Soup!"})
    assert answer.status_code == 400
    assert answer.json["error"]["hint"]
    assert onechat.sent() == []


def test_an_empty_message_is_refused(app, login, onechat, alice):
    """A message that can't be sent is refused with a reason, before OneChat is asked."""
    answer = login(app, alice).post("/api/alerts", data={"message": "  "})
    assert answer.status_code == 400
    assert "empty" in answer.json["error"]["message"]
    assert onechat.sent() == []


def test_admins_may_tell_everyone(app, login, onechat, bob):
    """An admin sees the form for announcements, and everyone gets them."""
    client = login(app, bob)
    assert "Tell everyone" in client.get("/").text
    assert client.post("/api/broadcast", data={"message": "Soup for all"}).status_code == 204
    (sent,) = onechat.sent("massBroadcast")
    assert (sent["to"], sent["text"]) == (onechat.domain, "Soup for all")


def test_others_may_not_tell_everyone(app, login, onechat, alice):
    """A user who is no admin does not see that form, and is refused."""
    client = login(app, alice)
    assert "Tell everyone" not in client.get("/").text
    answer = client.post("/api/broadcast", data={"message": "Soup for all"})
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "not_admin"
    assert onechat.sent() == []


def test_trouble_at_onechat_is_told_as_such(app, login, onechat, alice):
    """Where OneChat can't be reached the page gets a 503 with words for the user."""
    client = login(app, alice)
    onechat.fail("singleMessage", how="reset")
    answer = client.post("/api/alerts", data={"message": "Lunch?"})
    assert answer.status_code == 503
    assert answer.json["error"]["message"]
