"""Processes that fork beside a working outbox, and gevent's threads: they work, or are told why not. None hangs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from support.calls import APP_ID, KEY
from support.countinghost import Stub
from support.paths import TESTS
from support.servers import gunicorn

pytestmark = pytest.mark.slow

PATIENCE = 120  # seconds for what takes two
FORKS = """
import os, sys, threading

from support.calls import client_of
from miniapp.errors import LedgerError
from miniapp.outbox import Outbox

url, host, use = sys.argv[1:]
client = client_of(host, outbox_url=url, outbox_rate=0.0)
outbox = Outbox(client.settings, client)
stop, begun = threading.Event(), threading.Event()


def send():
    while not stop.is_set():
        outbox.send([f"u{n}@onechat.net" for n in range(20)], "Hi")
        begun.set()


threads = [threading.Thread(target=send) for _ in range(3 if use == "sending" else 0)]
for thread in threads:
    thread.start()
if use == "sending":
    begun.wait()
elif use == "read":
    outbox.list()
children = []
for _ in range(5):
    if not (child := os.fork()):
        try:
            bulk = outbox.send(["child@onechat.net"], "Hi")
            states = [progress.state for progress in outbox.watch(bulk.id, 60)]
            outbox.stop()
            os._exit(0 if states[-1] == "done" else 1)
        except LedgerError as error:
            os._exit(2 if error.code == "outbox_fork" else 3)
    children.append(child)
print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
stop.set()
for thread in threads:
    thread.join()
outbox.list()
outbox.stop()
"""


@pytest.mark.parametrize(("use", "code"), [("sending", 2), ("read", 0), ("none", 0)])
def test_children_of_a_fork(use: str, code: int, url: str, host: Stub) -> None:
    """A child of a process whose threads use SQLite's file is refused; one of a process that is idle sends."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, url, host.url, use]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.stdout.split(), done.returncode) == ([str(code)] * 5, 0), done.stderr
    assert host.accepted["child@onechat.net"] == (0 if code else 5)


def test_children_of_a_fork_on_postgres(postgres_url: str, host: Stub) -> None:
    """On Postgres a child has connections of its own, and the parent keeps its own."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, postgres_url, host.url, "read"]
    done = subprocess.Popen(
        command, env={"PYTHONPATH": str(TESTS)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    worker = [sys.executable, "-c", "from miniapp.cli import main; main()", "worker"]
    settings = {
        "ONECHAT_APP_ID": APP_ID,
        "ONECHAT_API_KEY": KEY,
        "ONECHAT_API_URL": host.url,
        "ONECHAT_OUTBOX_URL": postgres_url,
    }
    sender = subprocess.Popen(worker, env=settings)
    try:
        output, errors = done.communicate(timeout=PATIENCE)
        assert (output.split(), done.returncode) == (["0"] * 5, 0), errors
    finally:
        done.kill()
        sender.terminate()
        sender.wait(PATIENCE)


APP = """
from flask import Flask
from miniapp import MiniApp

app = Flask(__name__)
miniapp = MiniApp(app, env_file=None)


@app.get("/send")
def send():
    bulk = miniapp.outbox.send([f"u{n}@onechat.net" for n in range(20)], "Hi")
    return [progress.state for progress in miniapp.outbox.watch(bulk.id, 60)][-1]
"""
PATCHED = "from gevent import monkey\n\nmonkey.patch_all()\n"


@pytest.mark.parametrize(
    ("configuration", "arguments", "status"), [("", (), 200), ("", ("--preload",), 503), (PATCHED, ("--preload",), 200)]
)
def test_gevents_workers(
    configuration: str, arguments: tuple[str, ...], status: int, tmp_path: Path, host: Stub, url: str
) -> None:
    """Under gevent the outbox sends. With --preload and no early patch it is refused, and the pages are served."""
    (tmp_path / "wsgi.py").write_text(APP)
    (tmp_path / "gunicorn.conf.py").write_text(configuration)
    settings = {
        "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
        "ONECHAT_APP_ID": APP_ID,
        "ONECHAT_API_KEY": KEY,
        "ONECHAT_API_URL": host.url,
        "ONECHAT_OUTBOX_URL": url,
    }
    process = gunicorn(settings, "--worker-class", "gevent", *arguments, folder=tmp_path)
    with process as address, requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{address}/send", timeout=PATIENCE)
        assert answer.status_code == status
        if status == 200:
            assert answer.text == "done"
        else:
            assert answer.json()["error"]["code"] == "outbox_database"
        assert session.get(f"{address}/healthz", timeout=PATIENCE).status_code == 200
        assert session.get(f"{address}/readyz", timeout=PATIENCE).status_code == status
