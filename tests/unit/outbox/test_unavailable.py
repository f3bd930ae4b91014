"""A ledger that is locked, damaged or away: one error for the app, one answer for its users; and where its file is."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from miniapp import MiniApp
from miniapp.errors import LedgerError
from miniapp.outbox import Outbox, database
from miniapp.testing.onechat import LocalOneChat


@pytest.fixture
def locked(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Call it to have another process's transaction hold SQLite's write lock."""
    monkeypatch.setattr(database, "BUSY", 0.1)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    yield lambda: connection.execute("BEGIN IMMEDIATE")
    connection.close()


def test_writes_to_a_locked_ledger_raise(outbox: Outbox, locked: Callable[[], None]) -> None:
    """Every call that writes raises `LedgerError`, which says what to do. What was accepted before stays readable."""
    bulk = outbox.send(["u@onechat.net"], "Hi", key="lunch").id
    locked()
    calls: list[Callable[[], object]] = [
        lambda: outbox.send(["u@onechat.net"], "Hi"),
        lambda: outbox.pause(bulk),
        lambda: outbox.resume(bulk),
        lambda: outbox.cancel(bulk),
        lambda: outbox.retry(bulk, "unknown"),
        lambda: outbox.forget(0),
        lambda: outbox.open(),
    ]
    for call in calls:
        with pytest.raises(LedgerError, match="locked") as caught:
            call()
        assert caught.value.code == "outbox_database"
    assert [progress.id for progress in outbox.list()] == [bulk]
    assert [item.jid for item in outbox.items(bulk)] == ["u@onechat.net"]
    outbox.check()


@pytest.fixture
def app(onechat: LocalOneChat, url: str) -> Iterator[Flask]:
    app = Flask(__name__)
    app.config.update(onechat.config, ONECHAT_OUTBOX_URL=url, ONECHAT_OUTBOX_WORKER="process")
    miniapp = MiniApp(app, env_file=None)
    app.add_url_rule("/send", "send", lambda: str(miniapp.outbox.send([onechat.bob.jid], "Lunch").id))
    onechat.connect(app)
    yield app
    app.extensions["miniapp"].outbox.stop()


def test_a_locked_ledger_is_a_503(app: Flask, locked: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    """People read a plain sentence, the log says what is locked; the app is ready, since it can read."""
    client = app.test_client()
    assert client.get("/send").text == "1"
    locked()
    answer = client.get("/send")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "outbox_database")
    assert "database" not in answer.json["error"]["message"]
    assert "Retry-After" in answer.headers
    assert "database is locked" in caplog.text
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_readyz_knows_of_a_ledger_that_cant_be_read(
    worker: str, onechat: LocalOneChat, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages are served without the ledger, `/readyz` is 503, and the log says why once, not at every request."""
    (tmp_path / "bad.db").write_bytes(b"nothing that SQLite knows " * 100)
    broken = Flask(__name__)
    broken.config.update(
        onechat.config, ONECHAT_OUTBOX_URL=f"sqlite:///{tmp_path}/bad.db", ONECHAT_OUTBOX_WORKER=worker
    )
    MiniApp(broken, env_file=None)
    broken.add_url_rule("/", "home", lambda: "served")
    client = broken.test_client()
    assert [client.get("/").text for _ in range(3)] == ["served"] * 3
    assert caplog.text.count("The outbox can't start.") == (worker == "thread")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["failed"]) == (503, ["outbox"])


def test_pages_are_served_whatever_keeps_the_outbox_from_starting(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen error is logged with its traceback, and the page is served."""

    def start() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(app.extensions["miniapp"].outbox, "start", start)
    app.add_url_rule("/", "home", lambda: "served")
    assert app.test_client().get("/").text == "served"
    assert "RuntimeError: can't start new thread" in caplog.text


@pytest.mark.parametrize(("layout", "where"), [("module", "lunch"), ("package", "lunch"), ("there", "elsewhere")])
def test_a_relative_path_is_relative_to_the_app(
    layout: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, onechat: LocalOneChat
) -> None:
    """The ledger is beside the app's module or package, wherever the process was started, unless it is here already."""
    name, project = f"lunch_{layout}", tmp_path / "lunch"
    module = project / (f"{name}/__init__.py" if layout == "package" else f"{name}.py")
    module.parent.mkdir(parents=True)
    module.write_text("from flask import Flask\n\napp = Flask(__name__)\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    if layout == "there":
        Path("outbox.db").touch()
    monkeypatch.syspath_prepend(str(project))
    app: Flask = importlib.import_module(name).app
    app.config.update(onechat.config, ONECHAT_OUTBOX_URL="sqlite:///outbox.db", ONECHAT_OUTBOX_WORKER="process")
    MiniApp(app, env_file=None)
    assert app.test_client().get("/readyz").status_code == 200
    app.extensions["miniapp"].outbox.stop()
    assert [path for path in tmp_path.rglob("outbox.db") if path.stat().st_size] == [tmp_path / where / "outbox.db"]
