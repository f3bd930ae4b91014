"""The examples on the pages of the manual do what the pages say."""

from __future__ import annotations

import json
import re
import shlex
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from flask import Flask, render_template_string, request

from miniapp import MiniApp
from miniapp.cli import cli
from miniapp.outbox.schema import SCHEMA
from miniapp.sandbox.network.xmpp.server import read_settings
from support.manual import blocks
from support.paths import ROOT

DOCS = ROOT / "docs"
ELSEWHERE = {"flask-extensions", "testing", "tutorial"}
"""Pages that have tests of their own. The line of deploy.md for an old key has its test among the threats (39)."""


def run(page: str, number: int, **names: Any) -> SimpleNamespace:
    """The names that a block defines, given those that it uses."""
    names["__name__"] = page
    exec(compile(blocks(f"docs/{page}.md", "python")[number], f"{page}.md", "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def commands() -> list[tuple[str, str]]:
    """Each page and command line of ours in a block for the shell."""
    found = []
    for path in [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]:
        for block in re.findall(r"^```sh\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", "").replace("&&", "\n").splitlines()
            found += [(path.name, line.strip()) for line in lines if line.strip().startswith("miniapp ")]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_line_can_be_read(page, line):
    """The commands in blocks for the shell exist, with the options that they are given."""
    _, *words = shlex.split(line, comments=True)
    context = cli.make_context("miniapp", words)
    while isinstance(context.command, click.Group):
        name, command, words = context.command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, words, parent=context)


@pytest.mark.parametrize("page", sorted(path.stem for path in DOCS.glob("*.md")))
def test_every_block_has_its_test(page):
    """Each block of Python is named below, or its page has tests elsewhere."""
    tests = Path(__file__).read_text()
    named = {int(number) for number in re.findall(rf'run\("{page}", (\d+)', tests)}
    count = len(blocks(f"docs/{page}.md", "python")) - (page == "deploy")
    assert named == set(range(count)) or page in ELSEWHERE


def test_log_in(onechat, login, alice):
    """The app of login.md greets users by their verified JID, and guests where it lets them in."""
    app = onechat.connect(run("login", 0).create_app(onechat.config))
    assert app.test_client().get("/").status_code == 401
    assert app.test_client().get("/about").text == "Hello, guest"
    client = login(app, alice)
    assert client.get("/").text == client.get("/about").text == f"Hello, {alice.jid}"


def test_guard_of_a_blueprint(onechat, login, alice, bob):
    """The guard of login.md keeps all but one user from the blueprint's views."""
    app = Flask(__name__)
    app.config.from_mapping(onechat.config)
    MiniApp(app)
    app.register_blueprint(run("login", 1).admin)
    assert onechat.connect(app).test_client().get("/admin/").status_code == 401
    assert login(app, bob).get("/admin/").status_code == 403
    assert login(app, alice).get("/admin/").text == "All polls"


def test_send(onechat, login, alice):
    """The views of send.md write to the user and to a group; what failed is told as sent, perhaps or not."""
    client = login(run("send", 0).create_app(onechat.config), alice)
    assert client.post("/remind").status_code == 204
    (group,) = [group["jid"] for group in onechat.controls.state()["groups"] if group["name"] == "Lunch club"]
    assert client.post("/remind-group", data={"group": group}).json == {"sent": "yes"}
    assert [sent["to"] for sent in onechat.sent()] == [alice.jid, group]
    onechat.fail("groupMessage", 1, "hang")
    assert client.post("/remind-group", data={"group": group}).json == {"sent": "perhaps"}
    onechat.fail("groupMessage", 1, "error")
    assert client.post("/remind-group", data={"group": group}).json == {"sent": "no"}


@pytest.fixture
def app(onechat, tmp_path) -> Flask:
    """An app with an outbox, without a thread that sends."""
    app = Flask(__name__)
    outbox = {"ONECHAT_OUTBOX_URL": f"sqlite:///{tmp_path}/outbox.db", "ONECHAT_OUTBOX_WORKER": "process"}
    app.config.from_mapping({**onechat.config, **outbox})
    MiniApp(app)
    with onechat.connect(app).app_context():
        yield app
    app.extensions["miniapp"].outbox.stop()


def test_bulk(app, onechat, alice, bob, caplog):
    """The bulk of outbox.md arrives, its signal is received, and it is kept for thirty days."""
    miniapp = SimpleNamespace(outbox=app.extensions["miniapp"].outbox)
    signals = run("outbox", 3, app=app)  # while it is referred to, blinker keeps the receiver
    run("outbox", 0, miniapp=miniapp, jids=[alice.jid, bob.jid])
    with caplog.at_level("INFO"):
        miniapp.outbox.work(threading.Event(), drain=True)
    assert signals.report
    assert "2 of 2 sent" in caplog.text
    assert len(onechat.sent()) == 2
    run("outbox", 4, miniapp=miniapp)
    assert len(miniapp.outbox.list()) == 1


def test_beside_an_own_database(app):
    """The helper of outbox.md goes where Flask-Migrate and Alembic take it."""
    from flask_sqlalchemy import SQLAlchemy

    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    helper = run("outbox", 1, app=app, db=SQLAlchemy(app)).include_object
    given: dict[str, Any] = {}
    context = SimpleNamespace(configure=lambda **arguments: given.update(arguments))
    run("outbox", 2, context=context, connection=None, metadata=None, include_object=helper)
    assert given["include_object"] is app.extensions["migrate"].configure_args["include_object"] is helper


def test_behind_a_proxy(app):
    """With the lines of deploy.md, the app takes the client's address from its proxy, then its prefix too."""
    app.add_url_rule("/", "home", lambda: f"{request.remote_addr} {request.script_root}")
    forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Prefix": "/lunch"}
    plain = app.wsgi_app
    proxy_fix = run("deploy", 0, app=app).ProxyFix
    assert app.test_client().get("/", headers=forwarded).text == "203.0.113.7 "
    app.wsgi_app = plain
    run("deploy", 1, app=app, ProxyFix=proxy_fix)
    assert app.test_client().get("/", headers=forwarded).text == "203.0.113.7 /lunch"


def test_the_code_of_an_error(onechat, app, alice):
    """The lines of errors.md tell what happened by its code, and whether the message may have arrived."""
    remind, miniapp = run("errors", 0).remind, app.extensions["miniapp"]
    assert remind(miniapp, alice.jid) == ("sent", True)
    onechat.fail("singleMessage", 1, "reset")
    assert remind(miniapp, alice.jid) == ("host_unreachable", True)
    onechat.fail("singleMessage", 1, "error")
    assert remind(miniapp, alice.jid) == ("host_refused", False)


@pytest.mark.parametrize("page", ["login", "bridge"])
def test_the_head_of_a_page(app, page):
    """The HTML of the page is a template that loads the shim."""
    (head,) = blocks(f"docs/{page}.md", "html")
    with app.test_request_context():
        assert "/miniapp/oc.js?v=" in render_template_string(head)


def test_the_settings_of_an_xmpp_server(tmp_path):
    """The TOML of xmpp.md is read as the settings of a server of the user's own."""
    (toml,) = blocks("docs/xmpp.md", "toml")
    (tmp_path / "xmpp.toml").write_text(toml)
    assert read_settings(tmp_path / "xmpp.toml").component == ("127.0.0.1", 5347)


def test_the_schema_on_postgres():
    """The SQL of outbox.md is what the outbox's own hint says."""
    (sql,) = blocks("docs/outbox.md", "sql")
    assert sql.splitlines()[0] == f"CREATE SCHEMA {SCHEMA};"


@pytest.mark.parametrize("page", ["ocwp", "protocol"])
def test_json_is_json(page):
    """The JSON of the page can be parsed."""
    assert [json.loads(block) for block in blocks(f"docs/{page}.md", "json")]


def test_every_route_is_documented(app):
    """docs/routes.md has each route of the framework."""
    text = (DOCS / "routes.md").read_text()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("miniapp."):
            path = rule.rule.replace("/miniapp/", "{prefix}/").replace("<int:bulk>", "{id}")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert f"{method} {path}" in text
