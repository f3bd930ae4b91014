"""The outbox in a mini app: `miniapp.outbox`, whose bulk it is, and its progress as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from miniapp import ConfigurationError, MiniApp, current_user, login_required
from miniapp.testing.onechat import LocalOneChat, Person

Login = Callable[[Flask, Person], FlaskClient]


@pytest.fixture
def app(onechat: LocalOneChat, url: str) -> Iterator[Flask]:
    """An app whose logged-in user reminds Bob and themselves."""
    app = Flask(__name__)
    app.config.update(onechat.config, ONECHAT_OUTBOX_URL=url, ONECHAT_OUTBOX_WORKER="thread", TESTING=True)
    miniapp = MiniApp(app, env_file=None)

    @app.post("/remind")
    @login_required
    def remind() -> dict[str, Any]:
        bulk = miniapp.outbox.send([onechat.bob.jid, current_user.jid], "Lunch", key="lunch")
        return {"id": bulk.id, "new": bulk.new}

    onechat.connect(app)
    yield app
    app.extensions["miniapp"].outbox.stop()


def finished(app: Flask, bulk: int) -> Any:
    return list(app.extensions["miniapp"].outbox.watch(bulk, 20))[-1]


def test_an_app_sends_to_many(app: Flask, onechat: LocalOneChat, alice: Person, bob: Person, login: Login) -> None:
    """What a view accepts, the app's own thread sends; a second press of the button sends nothing more."""
    client = login(app, alice)
    first = client.post("/remind").json
    assert finished(app, first["id"]).sent == 2
    assert client.post("/remind").json == {"id": first["id"], "new": False}
    assert sorted(sent["to"] for sent in onechat.sent("singleMessage")) == [alice.jid, bob.jid]


def test_its_owner_sees_the_progress(app: Flask, alice: Person, login: Login) -> None:
    """Counts and state, with neither recipients nor text."""
    client = login(app, alice)
    number = client.post("/remind").json["id"]
    finished(app, number)
    answer = client.get(f"/miniapp/outbox/{number}")
    assert answer.json.keys() == {
        "id", "state", "total", "waiting", "sent", "refused", "unknown", "created_at", "done_at",
    }  # fmt: skip
    assert (answer.json["state"], answer.json["sent"]) == ("done", 2)
    assert "no-store" in answer.headers["Cache-Control"]


def test_its_owner_reads_nothing_that_is_for_operators(app: Flask, alice: Person, login: Login) -> None:
    """While nothing goes out, the owner sees that messages wait, and neither commands nor settings."""
    client = login(app, alice)
    outbox = app.extensions["miniapp"].outbox
    with outbox.database.write.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox_gate SET opens_at = 1e10")
    number = client.post("/remind").json["id"]
    assert outbox.progress(number).delay is not None
    answer = client.get(f"/miniapp/outbox/{number}")
    assert answer.json["waiting"] == 2
    assert "delay" not in answer.json
    assert "miniapp outbox" not in answer.text


def test_other_users_see_no_progress(app: Flask, alice: Person, bob: Person, login: Login) -> None:
    """To others a bulk is as one that doesn't exist; without a login nothing is told."""
    number = login(app, alice).post("/remind").json["id"]
    stranger = login(app, bob)
    other, none = (stranger.get(f"/miniapp/outbox/{which}") for which in (number, number + 1))
    assert other.status_code == none.status_code == 404
    assert other.json == none.json
    assert app.test_client().get(f"/miniapp/outbox/{number}").status_code == 401


def test_no_user_sees_bulks_without_an_owner(app: Flask, alice: Person, login: Login) -> None:
    """What a script sends has no owner, unless it names one."""
    with app.app_context():
        outbox = app.extensions["miniapp"].outbox
        anonymous = outbox.send([alice.jid], "Hi")
        named = outbox.send([alice.jid], "Ho", owner=alice.jid)
    client = login(app, alice)
    assert client.get(f"/miniapp/outbox/{anonymous.id}").status_code == 404
    assert client.get(f"/miniapp/outbox/{named.id}").status_code == 200


def test_without_the_setting_there_is_none(onechat: LocalOneChat) -> None:
    """`miniapp.outbox` says which setting is missing; there is no route and no thread."""
    app = Flask(__name__)
    app.config.update(onechat.config)
    miniapp = MiniApp(app, env_file=None)
    with app.app_context(), pytest.raises(ConfigurationError, match="ONECHAT_OUTBOX_URL"):
        _ = miniapp.outbox
    assert not any("outbox" in rule.rule for rule in app.url_map.iter_rules())


def test_pages_are_served_without_the_ledger(onechat: LocalOneChat) -> None:
    """A ledger that can't be opened is an error for who sends, not for who reads."""
    app = Flask(__name__)
    app.config.update(onechat.config, ONECHAT_OUTBOX_URL="sqlite:////nowhere/outbox.db")
    miniapp = MiniApp(app, env_file=None)
    assert app.test_client().get("/healthz").status_code == 200
    with app.app_context(), pytest.raises(ConfigurationError, match="ONECHAT_OUTBOX_URL"):
        miniapp.outbox.send(["alice@onechat.net"], "Hi")
