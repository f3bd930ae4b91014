"""What is kept on disk: removed while it is in use, damaged, not writable, or of another form.

Either the command makes it again, or it ends with one sentence: no traceback, and nothing deleted.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miniapp.dev.project import FOLDER, StateFolder
from miniapp.errors import MiniAppError
from miniapp.sandbox.store import Store
from support.commands import BOUND, PATIENCE, Run
from support.dev_process import Dev

pytestmark = pytest.mark.slow

APP = "from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\nMiniApp(app)\n"
FACTS = APP + '@app.get("/facts")\ndef facts():\n    return {"secret": app.secret_key}\n'
DOMAIN = "onechat.localhost"
STORE = "sandbox.sqlite3"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "lunch"
    directory.mkdir()
    (directory / "wsgi.py").write_text(FACTS)
    return directory


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., Dev]]:
    """Starts `miniapp dev` in the project, and ends it."""
    started: list[Dev] = []

    def begin(*options: str) -> Dev:
        started.append(Dev(project, *options))
        return started[-1]

    yield begin
    for dev in started:
        dev.end()


def ended(dev: Dev) -> str:
    """The whole output of a run that ends by itself, with a failure and without a traceback."""
    assert dev.process.wait(PATIENCE) == 1
    dev.end()
    assert "Traceback" not in dev.output
    return dev.output


def users(file: Path) -> list[str]:
    """The names of the users in a store's file."""
    with sqlite3.connect(file) as connection:
        found = [name for (name,) in connection.execute("SELECT name FROM users")]
    connection.close()
    return found


# --- removed while in use ---


@pytest.mark.parametrize("reload", ["--reload", "--no-reload"])
def test_a_removed_folder_is_made_again(start: Callable[..., Dev], project: Path, reload: str) -> None:
    """After `rm -rf .onechat` everything goes on, all users are kept, and no second run starts beside the first."""
    dev = start(reload).up()
    dev.controls().call("POST", "/_sandbox/users", {"name": "Fay"})
    kept = json.loads((project / FOLDER / "dev.json").read_text())
    shutil.rmtree(project / FOLDER)
    dev.wait_for("was removed: made again")
    second = start()
    assert f"Process {dev.process.pid} runs a sandbox" in ended(second)
    dev.controls().call("POST", "/_sandbox/users", {"name": "Gil"})
    assert dev.facts()["secret"] == kept["secretKey"]
    if reload == "--reload":
        (project / "wsgi.py").write_text(FACTS + "\n")
        dev.wait_for("app started again")
    assert dev.end() == 0
    assert {"Fay", "Gil"} <= set(users(project / FOLDER / STORE))
    assert json.loads((project / FOLDER / "dev.json").read_text()) == kept
    assert (project / FOLDER / ".gitignore").read_text() == "*\n"


def test_a_removed_folder_of_a_sandbox_is_made_again(tmp_path: Path) -> None:
    """`miniapp sandbox --data` does the same."""
    command = [sys.executable, "-m", "miniapp", "sandbox", "--port", "0", "--xmpp", "off", "--data", "state"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Stop" in line:
                shutil.rmtree(tmp_path / "state")
            if "made again" in line:
                break
        process.terminate()
    assert process.returncode == 0
    assert "Alice Tan" in users(tmp_path / "state" / STORE)


@pytest.mark.parametrize("name", [STORE, "lock", "dev.json"])
def test_a_single_removed_file_is_made_again(start: Callable[..., Dev], project: Path, name: str) -> None:
    """Whichever file is removed is there again after the next change, and holds what it held."""
    dev = start().up()
    dev.controls().call("POST", "/_sandbox/users", {"name": "Fay"})
    secret = dev.facts()["secret"]
    (project / FOLDER / name).unlink()
    (project / "wsgi.py").write_text(FACTS + "\n")
    dev.wait_for("app started again")
    assert dev.facts()["secret"] == secret
    assert "Process" in ended(start())
    dev.end()
    assert "Fay" in users(project / FOLDER / STORE)
    assert json.loads((project / FOLDER / "dev.json").read_text())["secretKey"] == secret


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_a_project_that_goes_away_ends_the_run(start: Callable[..., Dev], project: Path, how: str) -> None:
    """One sentence, and the folder is not made again where the project was."""
    dev = start().up()
    if how == "renamed":
        project.rename(project.with_name("dinner"))
    else:
        shutil.rmtree(project)
    assert f"{project} was moved or removed" in ended(dev)
    assert not project.exists()


def test_a_second_run_that_took_a_removed_folder_keeps_it(tmp_path: Path) -> None:
    """The first finds the folder held by another process, and says so instead of sharing it."""
    with StateFolder(tmp_path / "state") as first:
        shutil.rmtree(tmp_path / "state")
        with StateFolder(tmp_path / "state") as second:
            with pytest.raises(MiniAppError, match="runs a sandbox on"):
                first.keep()
            assert not second.keep()


def test_a_store_that_was_replaced_is_left_alone(tmp_path: Path) -> None:
    """A file that has replaced a store in use is not overwritten."""
    store = Store(tmp_path / STORE, domain=DOMAIN)
    os.replace(shutil.copy(tmp_path / STORE, tmp_path / "copy"), tmp_path / STORE)
    before = (tmp_path / STORE).read_bytes()
    with pytest.raises(MiniAppError, match="another file was put in its place"):
        store.restore()
    assert (tmp_path / STORE).read_bytes() == before
    store.close()


def test_an_env_file_that_becomes_unreadable_stops_the_app_alone(start: Callable[..., Dev], project: Path) -> None:
    """A `.env` that can't be read is named, and the next change starts the app again."""
    dev = start().up()
    (project / ".env").write_bytes(b"\xff\xfe")
    dev.wait_for("is not UTF-8 text")
    (project / ".env").write_text("SECRET_KEY=from-the-env-file-0123456789\n")
    dev.wait_for("app started again")
    assert dev.facts()["secret"] == "from-the-env-file-0123456789"
    (project / ".env").unlink()
    dev.wait_for("app started again")
    assert dev.facts()["secret"] != "from-the-env-file-0123456789"


# --- damaged, or of another form ---


def garbage(file: Path) -> None:
    file.write_bytes(b"nothing that SQLite knows " * 100)


def truncated(file: Path) -> None:
    os.truncate(file, 2000)


def corrupted(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:2048] + b"\xff" * (len(whole) - 2048))


def newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The store of a sandbox that has ended."""
    (tmp_path / "state").mkdir()
    Store(tmp_path / "state" / STORE, domain=DOMAIN).close()
    return tmp_path / "state" / STORE


@pytest.mark.parametrize(
    ("damage", "why"),
    [(garbage, "it is damaged"), (truncated, "it is damaged"), (corrupted, "it is damaged"), (newer, "newer version")],
)
def test_a_store_that_cant_be_read_is_named_and_kept(
    kept: Path, run: Run, damage: Callable[[Path], None], why: str
) -> None:
    """The sentence names the file, the reason and what to do; the file stays as it was."""
    damage(kept)
    before = kept.read_bytes()
    result = run("sandbox", "--port", "0", "--xmpp", "off", "--data", "state")
    assert result.exit_code == 1
    assert f"state/{STORE}" in result.output
    assert why in result.output
    assert "ove the file away" in result.output
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        '{"appId": 5}',
        '{"appId": "x\\u0000y-12345"}',
        '{"secretKey": "short"}',
        '{"admin": ["a"]}',
        '{"appId": "app-0123456789ab", "domain": ""}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_dev_json_of_another_form_is_named_and_kept(project: Path, text: str) -> None:
    """The sentence names the file and the reason; the file stays as it was."""
    (project / FOLDER).mkdir()
    (project / FOLDER / "dev.json").write_text(text)
    result = run_dev(project)
    assert result.returncode == 1
    assert "dev.json can't be used: " in result.stderr
    assert "Traceback" not in result.stderr
    assert (project / FOLDER / "dev.json").read_text() == text


def run_dev(
    project: Path, *prefix: str, limit: int | None = None, options: tuple[str, ...] = ("dev", "--sandbox-port", "0")
) -> subprocess.CompletedProcess[str]:
    """A run that is to end by itself; `limit` is the most bytes that a file may have, as if its disk were full."""

    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [*prefix, sys.executable, "-B", "-m", "miniapp", *options, "--port", "0", "--xmpp", "off"]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=PATIENCE, preexec_fn=set_limit
    )


# --- not writable, or full ---


def folder_is_a_file(project: Path) -> None:
    (project / FOLDER).write_text("")


def folder_is_read_only(project: Path) -> None:
    (project / FOLDER).mkdir(mode=0o500)


def project_is_read_only(project: Path) -> None:
    project.chmod(0o500)


def store_is_read_only(project: Path) -> None:
    (project / FOLDER).mkdir()
    Store(project / FOLDER / STORE, domain=DOMAIN).close()
    (project / FOLDER / STORE).chmod(0o400)


def store_is_closed(project: Path) -> None:
    store_is_read_only(project)
    (project / FOLDER / STORE).chmod(0)


def store_is_a_folder(project: Path) -> None:
    (project / FOLDER / STORE).mkdir(parents=True)


def dev_json_is_closed(project: Path) -> None:
    (project / FOLDER).mkdir()
    (project / FOLDER / "dev.json").write_text("{}")
    (project / FOLDER / "dev.json").chmod(0)


def lock_is_closed(project: Path) -> None:
    (project / FOLDER).mkdir()
    (project / FOLDER / "lock").touch(0)


def env_is_closed(project: Path) -> None:
    (project / ".env").touch(0)


@pytest.mark.parametrize(
    "prepare",
    [
        folder_is_a_file,
        folder_is_read_only,
        project_is_read_only,
        store_is_read_only,
        store_is_closed,
        store_is_a_folder,
        dev_json_is_closed,
        lock_is_closed,
        env_is_closed,
    ],
)
def test_a_file_that_cant_be_used_is_named(project: Path, prepare: Callable[[Path], None]) -> None:
    """One sentence says which file it is, why it can't be used, and what to do."""
    prepare(project)
    before = sorted(project.rglob("*"))
    result = run_dev(project, *BOUND)
    assert result.returncode in (1, 3)
    assert "Traceback" not in result.stderr
    assert (".env" if prepare is env_is_closed else FOLDER) in result.stderr
    assert any(word in result.stderr for word in ("can't be used: ", "can't be read"))
    assert any(word in result.stderr for word in ("writable for this user", "readable for this user", "move what"))
    assert set(before) <= set(project.rglob("*"))


@pytest.mark.parametrize("limit", [0, 1, 8000, 30_000])
def test_a_full_disk_at_the_start_is_told(project: Path, limit: int) -> None:
    """Whichever file is the first that has no room, the sentence says to make some."""
    result = run_dev(project, limit=limit, options=("sandbox", "--data", "state"))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "Make room on its disk" in result.stderr
