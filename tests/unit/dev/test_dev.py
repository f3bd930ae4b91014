"""Tests of `miniapp dev`: the real command, with a small app, on free ports."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from miniapp.dev import listen
from miniapp.errors import MiniAppError
from support.commands import PATIENCE
from support.dev_process import Dev
from support.waiting import until

WSGI = """
import os
from flask import Flask, render_template
from miniapp import MiniApp, current_user, login_required

app = Flask(__name__)
app.config["APP_NAME"] = "Lunch"
MiniApp(app)

@app.get("/")
def home():
    return render_template("home.html", word="first")

@app.get("/who")
@login_required
def who():
    return current_user.jid

@app.get("/facts")
def facts():
    settings = app.extensions["miniapp"].settings
    return {"pid": os.getpid(), "api_url": settings.api_url, "app_id": settings.app_id, "key": str(settings.api_key),
            "admins": os.environ["ADMIN_JIDS"], "secret": app.secret_key, "domain": settings.domain,
            "environment": {key: value for key, value in os.environ.items() if key.startswith("ONECHAT_")}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "lunch"
    (directory / "templates").mkdir(parents=True)
    (directory / "wsgi.py").write_text(WSGI)
    (directory / "templates" / "home.html").write_text("<p>{{ word }}</p>")
    return directory


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., Dev]]:
    """Starts `miniapp dev` in the project; whatever is left of it at the end is ended."""
    with contextlib.ExitStack() as stack:

        def begin(*options: str, environment: dict[str, str] | None = None) -> Dev:
            dev = Dev(project, *options, environment=environment)
            stack.callback(dev.end, signal.SIGTERM)
            return dev

        yield begin


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


# --- one run, from banner to stop ---


def test_one_command_runs_everything(start: Callable[..., Dev]) -> None:
    """After one banner the host page answers, and a user of the sandbox logs in to the app by a real session."""
    dev = start().up()
    controls = dev.controls()
    state = controls.state()
    assert [(app["name"], app["status"], app["url"]) for app in state["apps"]] == [
        ("Lunch", "approved", dev.app.replace("127.0.0.1", "localhost") + "/")
    ]
    alice = next(user["jid"] for user in state["users"] if user["jid"].startswith("alice@"))
    session_id = controls.call("POST", "/_sandbox/sessions", {"jid": alice})["sessionId"]
    with requests.Session() as browser:
        assert browser.get(dev.app + "/who", timeout=PATIENCE).status_code == 401
        answer = browser.post(
            dev.app + "/miniapp/session",
            json={"jid": alice, "sessionId": session_id},
            headers={"Origin": dev.app},
            timeout=PATIENCE,
        )
        assert answer.status_code == 204
        assert browser.get(dev.app + "/who", timeout=PATIENCE).text == alice
    facts = dev.facts()
    assert facts["admins"] == next(user["jid"] for user in state["users"] if user["admin"])
    assert dev.output.count("Phones") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_clean(start: Callable[..., Dev], number: int) -> None:
    """Ctrl-C or SIGTERM ends it with 0, and neither a process, a listener nor a traceback is left."""
    dev = start().up()
    until(lambda: len(dev.children()) == 2)  # the app, and the one that stands by
    pids = dev.children()
    assert dev.end(number) == 0
    assert all(is_gone(pid) for pid in pids)
    for url in (dev.app, dev.sandbox):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE)
    assert "Traceback" not in dev.output


def test_ctrl_c_at_a_terminal_reaches_all_and_shows_no_traceback(project: Path) -> None:
    """A SIGINT to the whole process group, as a terminal sends it, even while children load, ends it quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "miniapp", "dev", "--port", "0", "--sandbox-port", "0"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        assert "Traceback" not in process.stdout.read()
    assert process.wait(PATIENCE) == 0


def test_children_end_with_a_killed_supervisor(start: Callable[..., Dev]) -> None:
    """No child outlives a supervisor that got SIGKILL."""
    dev = start().up()
    until(lambda: len(dev.children()) == 2)
    pids = dev.children()
    dev.process.kill()
    dev.process.wait(PATIENCE)
    until(lambda: all(is_gone(pid) for pid in pids))


def test_same_app_in_the_next_run(start: Callable[..., Dev], project: Path) -> None:
    """The next run has the same app ID and secret, a new API key, and what the sandbox kept; no key is on disk."""
    dev = start().up()
    first = dev.facts()
    dev.controls().call("POST", "/_sandbox/users", {"name": "Fay"})
    on_disk = b"".join(path.read_bytes() for path in (project / ".onechat").iterdir())
    dev.end()
    dev = start().up()
    second = dev.facts()
    assert (first["app_id"], first["secret"]) == (second["app_id"], second["secret"])
    assert first["key"] != second["key"]
    assert first["key"].encode() not in on_disk
    state = dev.controls().state()
    assert len(state["apps"]) == 1
    assert "Fay" in [user["name"] for user in state["users"]]


def test_app_answers_while_the_sandbox_still_starts(start: Callable[..., Dev], project: Path) -> None:
    """From the second run on the app's pages don't wait for the sandbox."""
    start().up().end()
    with listen.listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/facts"
    database = sqlite3.connect(project / ".onechat" / "sandbox.sqlite3", isolation_level=None)
    with contextlib.closing(database):
        database.execute("BEGIN EXCLUSIVE")  # the sandbox waits for this, for a while
        dev = start("--port", str(port))
        until(lambda: answers(url))
        pid = requests.get(url, timeout=PATIENCE).json()["pid"]
        database.execute("ROLLBACK")
        assert dev.up().facts()["pid"] == pid


def test_app_gets_what_the_sandbox_says_now(start: Callable[..., Dev], project: Path) -> None:
    """What is remembered of the sandbox does not last longer than its start."""
    dev = start().up()
    facts = dev.facts()
    dev.end()
    file = project / ".onechat" / "dev.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"admin": "gone@old.example", "domain": "old.example"}))
    after = start().up().facts()
    assert (after["admins"], after["domain"]) == (facts["admins"], facts["domain"])


def test_state_is_private_and_out_of_git(start: Callable[..., Dev], project: Path) -> None:
    """`.onechat/` is for its owner alone, and `git add` leaves it out."""
    start().up().end()
    assert stat.S_IMODE((project / ".onechat").stat().st_mode) == 0o700
    assert stat.S_IMODE((project / ".onechat" / "dev.json").stat().st_mode) == 0o600
    git = shutil.which("git")
    assert git
    subprocess.run([git, "init", "-q"], cwd=project, check=True)
    subprocess.run([git, "add", "-A"], cwd=project, check=True)
    staged = subprocess.run([git, "ls-files"], cwd=project, check=True, capture_output=True, text=True).stdout
    assert "wsgi.py" in staged
    assert ".onechat" not in staged


def test_second_run_in_one_directory_is_refused(start: Callable[..., Dev]) -> None:
    """Two runs would take each other's API key away, so the second says who has the directory."""
    first = start().up()
    second = start()
    second.wait_for(rf"Process {first.process.pid} runs a sandbox")
    assert second.process.wait(PATIENCE) == 1
    assert first.facts()


# --- never a real OneChat ---


def test_real_settings_never_reach_the_app(start: Callable[..., Dev], project: Path) -> None:
    """Settings of a real OneChat in the environment and in .env are replaced by the sandbox's, every one."""
    (project / ".env").write_text(
        "ONECHAT_API_URL=https://real.example/onechat/api\nONECHAT_APP_ID=real-app-id\nONECHAT_API_KEY=real-canary-key\n"
        "ONECHAT_DOMAIN=real.example\nONECHAT_PUBLIC_URL=https://lunch.example\nONECHAT_COOKIE=partitioned\n"
        "ONECHAT_CONTAINER_ORIGINS=https://real.example\nSECRET_KEY=from-the-env-file-0123456789\n"
    )
    environment = {
        "ONECHAT_API_URL": "https://real.example/onechat/api",
        "ONECHAT_API_KEY": "real-canary-key",
        "ONECHAT_SESSION_ID": "real-canary-session",
        "ADMIN_JIDS": "boss@real.example",
    }
    dev = start(environment=environment).up()
    facts = dev.facts()
    assert facts["api_url"] == dev.sandbox + "/onechat/api"
    assert facts["domain"] == "onechat.localhost"
    assert facts["secret"] == "from-the-env-file-0123456789"
    assert "real" not in json.dumps(facts)
    assert "canary" not in Path(f"/proc/{dev.process.pid}/cmdline").read_text()


def test_app_that_names_a_real_onechat_is_not_served(start: Callable[..., Dev], project: Path) -> None:
    """Where the app's own configuration names another OneChat, which comes first, the app is not served."""
    (project / "wsgi.py").write_text(
        WSGI.replace("MiniApp(app)", 'app.config["ONECHAT_API_URL"] = "https://real.example/onechat/api"\nMiniApp(app)')
    )
    dev = start().up()
    dev.wait_for("would call another OneChat|Take ONECHAT_")
    answer = dev.get("/facts")
    assert answer.status_code == 500
    assert "another OneChat" in answer.text


# --- reload ---


@contextlib.contextmanager
def reloads(dev: Dev) -> Iterator[Callable[[], None]]:
    """Yields a function that waits for the next `reload` event of the phones' stream."""
    controls = dev.controls()
    headers = {"X-Sandbox-Token": controls._token}
    with requests.get(dev.sandbox + "/phones/events", headers=headers, stream=True, timeout=PATIENCE) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        yield lambda: _until_reload(lines)


def _until_reload(lines: Iterator[str]) -> None:
    for line in lines:
        if line.startswith("event:") and line.removeprefix("event:").strip() == "reload":
            return
    raise AssertionError("The stream ended.")


def test_changes_reach_the_phones(start: Callable[..., Dev], project: Path) -> None:
    """Python and .env restart the app, templates and static files don't; the phones reload once it answers."""
    (project / "static").mkdir()
    dev = start().up()
    pid = dev.facts()["pid"]
    with reloads(dev) as reload:
        (project / "templates" / "home.html").write_text("<b>{{ word }}</b>")
        reload()
        assert dev.get("/").text == "<b>first</b>"
        assert dev.facts()["pid"] == pid

        (project / "static" / "app.css").write_text("p { color: teal }")
        reload()
        assert dev.get("/static/app.css").text == "p { color: teal }"
        assert dev.facts()["pid"] == pid

        (project / "wsgi.py").write_text(WSGI.replace("first", "second"))
        reload()
        assert dev.get("/").text == "<b>second</b>"
        assert dev.facts()["pid"] != pid
        assert "wsgi.py" in dev.wait_for("app started again")[0] + dev.output

        (project / ".env").write_text("SECRET_KEY=now-in-the-env-file-0123456789\n")
        reload()
        assert dev.facts()["secret"] == "now-in-the-env-file-0123456789"


def test_requests_are_logged_without_their_queries(start: Callable[..., Dev]) -> None:
    """The terminal shows each request in one plain line; a query, which may hold anything, is left out."""
    dev = start().up()
    dev.get("/facts?word=canary")
    dev.wait_for(r"^GET /facts 200$")
    dev.end()
    assert "canary" not in dev.output
    assert "\x1b" not in dev.output


def test_broken_app_is_shown_and_mended(start: Callable[..., Dev], project: Path) -> None:
    """A syntax error is shown in the terminal and, escaped, in the page; the next change brings the app back."""
    dev = start().up()
    with reloads(dev) as reload:
        (project / "wsgi.py").write_text("x = '<script>'\n" + WSGI + "\ndef broken(:\n")
        reload()
        dev.wait_for("SyntaxError")
        dev.wait_for("Waiting for a change")
        answer = dev.get("/")
        assert answer.status_code == 500
        assert "SyntaxError" in answer.text
        assert "flask" not in answer.text  # the loader's frames are of no use to the app's author
        (project / "wsgi.py").write_text("raise RuntimeError('<script>')")
        reload()
        assert "&lt;script&gt;" in dev.get("/").text
        (project / "wsgi.py").write_text(WSGI)
        reload()
        assert dev.get("/").status_code == 200


def test_app_that_ends_by_itself_is_started_by_the_next_change(start: Callable[..., Dev], project: Path) -> None:
    """A process that is gone is told with its exit code, in a page too; a change starts the app again."""
    (project / "wsgi.py").write_text("import os; os._exit(7)")
    dev = start().up()
    dev.wait_for("ended with code 7")
    assert "ended with code 7" in dev.get("/").text
    (project / "wsgi.py").write_text(WSGI)
    dev.wait_for("app started again")
    assert dev.get("/").status_code == 200


def test_app_that_is_killed_leaves_a_page(start: Callable[..., Dev], project: Path) -> None:
    """After the app's process was killed, the phones show a page that says so; no request waits for a change."""
    dev = start().up()
    with reloads(dev) as reload:
        os.kill(int(dev.facts()["pid"]), signal.SIGKILL)
        reload()
        answer = dev.get("/")
        assert answer.status_code == 500
        assert "The app&#x27;s process ended with code -9." in answer.text
        (project / "wsgi.py").write_text(WSGI)
        reload()
        assert dev.get("/").status_code == 200


def test_app_is_registered_again_after_a_reset(start: Callable[..., Dev]) -> None:
    """After a reset, or a removal in the portal, the app is registered again at once, with its name."""
    dev = start().up()
    controls = dev.controls()
    for method, path in (("POST", "/_sandbox/reset"), ("DELETE", "/_sandbox/apps/{}")):
        before = dev.facts()["app_id"]
        controls.call(method, path.format(before))
        dev.wait_for("lost the app: app started again")
        apps = {app["appId"]: app["name"] for app in controls.state()["apps"]}
        assert apps == {before: "Lunch"}
        assert dev.facts()["app_id"] == before


def test_no_reload_watches_nothing(start: Callable[..., Dev], project: Path) -> None:
    """With --no-reload there is one child and no watch."""
    dev = start("--no-reload").up()
    assert len(dev.children()) == 1
    assert not any("inotify" in os.readlink(fd) for fd in Path(f"/proc/{dev.process.pid}/fd").iterdir())


# --- where it listens ---


def test_listens_on_loopback_alone_and_knows_its_names(start: Callable[..., Dev]) -> None:
    """The app answers to loopback's names, `*.onechat.localhost` included, and to no other."""
    dev = start().up()
    port = dev.app.rpartition(":")[2]
    for host, status in {
        f"alice.onechat.localhost:{port}": 200,
        f"localhost:{port}": 200,
        f"127.0.0.1:{port}": 200,
        "evil.example": 400,
        f"localhost.evil.example:{port}": 400,
        "192.168.1.1": 400,
    }.items():
        assert dev.get("/", headers={"Host": host}).status_code == status, host
    listening = {
        line.split()[1].partition(":")[0]
        for pid in (dev.process.pid, *dev.children())
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].partition(":")[2], 16) in (int(port), int(dev.sandbox[17:]))
    }
    assert listening == {"0100007F"}  # 127.0.0.1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org"])
def test_other_hosts_are_refused(start: Callable[..., Dev], host: str) -> None:
    """An address that others can reach is refused, with the option that forces it."""
    dev = start("--host", host)
    dev.wait_for("can be reached from other machines")
    dev.wait_for("--force-host")
    assert dev.process.wait(PATIENCE) == 1


def test_forced_host_has_no_debugger(start: Callable[..., Dev], project: Path) -> None:
    """With --force-host it listens, and Werkzeug's debugger, which runs code, is off."""
    (project / "wsgi.py").write_text(WSGI + "\n@app.get('/fail')\ndef fail():\n    raise RuntimeError\n")
    with_debugger = start().up()
    assert "EVALEX" in with_debugger.get("/fail").text
    with_debugger.end()
    assert "EVALEX" not in start("--host", "0.0.0.0", "--force-host").up().get("/fail").text


def test_taken_port_gives_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port in use is passed over; with every neighbour in use there is an error that names the option."""
    with listen.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listen.listen("127.0.0.1", port) as other:
            assert other.getsockname()[1] > port
        monkeypatch.setattr(listen, "PORTS_TRIED", 1)
        with pytest.raises(MiniAppError, match="--port"):
            listen.listen("127.0.0.1", port)


def test_taken_ports_in_the_banner(start: Callable[..., Dev]) -> None:
    """With both ports in use the banner names others, where both answer."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(server.getsockname()[1]) for server in (one, other)]
        dev = start("--port", ports[0], "--sandbox-port", ports[1]).up()
        for port in ports:
            assert f"Port {port} is taken by another process, so this is on port " in dev.output
        assert not {dev.app.rpartition(":")[2], dev.sandbox.rpartition(":")[2]} & set(ports)
        assert dev.facts()["api_url"].startswith(dev.sandbox)


def test_open_shows_the_phones(start: Callable[..., Dev], tmp_path: Path) -> None:
    """--open gives the host page's address to the browser."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.new && mv {seen}.new {seen}\n')
    browser.chmod(0o755)
    dev = start("--open", environment={"BROWSER": f"{browser} %s"}).up()
    until(seen.exists)
    assert seen.read_text() == dev.sandbox.replace("127.0.0.1", "onechat.localhost") + "/"
