"""Which changes of a project's files `miniapp dev` follows."""

from __future__ import annotations

import errno
import queue
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from watchdog.observers import Observer

from miniapp.dev import loop, watch
from support.commands import BOUND, PATIENCE
from support.dev_process import Dev
from support.waiting import until

pytestmark = pytest.mark.slow

APP = """
from pathlib import Path
from flask import Flask
from miniapp import MiniApp

app = Flask(__name__)
MiniApp(app)
"""

Told = queue.SimpleQueue[frozenset[Path]]


@contextmanager
def watching(root: Path, **options: object) -> Iterator[Told]:
    """The bursts of changes that a watcher of `root` tells."""
    told: Told = queue.SimpleQueue()
    watcher = watch.Watcher(root, told.put, **options)  # type: ignore[arg-type]
    watcher.start()
    try:
        yield told
    finally:
        watcher.stop()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("wsgi.py", "code"),
        ("lunch/views.py", "code"),
        (".env", "code"),
        ("templates/home.html", "page"),
        ("lunch/static/app.css", "page"),
        ("static/img/icon.svg", "page"),
        ("README.md", None),
        ("lunch.sqlite3", None),
        ("tests/test_starter.py", None),
        (".venv/lib/x.py", None),
        (".onechat/dev.json", None),
        (".git/index", None),
        ("__pycache__/wsgi.cpython-311.pyc", None),
        ("js/node_modules/lit/index.py", None),
        ("templates/.home.html.swp", None),
        ("templates/home.html~", None),
        (".#wsgi.py", None),
    ],
)
def test_kind_of_change(path: str, kind: str | None) -> None:
    """Python and .env are code, templates and static files are pages, everything else is nothing."""
    assert watch.kind(Path(path)) == kind


def test_foreign_folders_are_not_watched(tmp_path: Path) -> None:
    """Virtual environments and node_modules, anywhere, are left out; what stands beside them is not."""
    for folder in ("app/templates", "js/node_modules/lit", "js/src/deep", "env/lib", ".git/objects"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    plan = {str(folder.relative_to(tmp_path)): whole for folder, whole in watch._plan(tmp_path)}
    assert plan == {".": False, "app": True, "js": False, "js/src": True}


def test_watcher_tells_bursts_once(tmp_path: Path) -> None:
    """Several saves within a moment are one call; a new folder is watched from then on; a rename counts."""
    (tmp_path / ".git").mkdir()  # so that the root is watched without what is below it
    told: queue.SimpleQueue[frozenset[Path]] = queue.SimpleQueue()
    watcher = watch.Watcher(tmp_path, told.put)
    watcher.start()
    try:
        for name in ("a.py", "b.py"):
            (tmp_path / name).write_text("x = 1")
        assert told.get(timeout=PATIENCE) == {Path("a.py"), Path("b.py")}
        (tmp_path / "a.new").write_text("x = 2")
        (tmp_path / "a.new").rename(tmp_path / "a.py")
        assert told.get(timeout=PATIENCE) == {Path("a.py")}
        (tmp_path / "lunch").mkdir()
        until(lambda: tmp_path / "lunch" in watcher._whole)
        (tmp_path / "lunch" / "c.py").write_text("x = 3")
        assert told.get(timeout=PATIENCE) == {Path("lunch/c.py")}
    finally:
        watcher.stop()


def test_what_git_ignores_is_not_followed(tmp_path: Path) -> None:
    """A file that git ignores reloads nothing; `.env`, which git ignores too, still starts the app again."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text(".env\nstatic/qr/\n")
    (tmp_path / "static/qr").mkdir(parents=True)
    with watching(tmp_path) as told:
        (tmp_path / "static/qr/1.png").write_text("x")
        (tmp_path / ".env").write_text("A=1")
        assert told.get(timeout=PATIENCE) == {Path(".env")}
        (tmp_path / "static/app.css").write_text("x")
        assert told.get(timeout=PATIENCE) == {Path("static/app.css")}


def test_patterns_of_the_command_line_are_not_followed(tmp_path: Path) -> None:
    """--ignore takes patterns of paths, and folders with all below them; there need be no git."""
    (tmp_path / "static/qr/deep").mkdir(parents=True)
    with watching(tmp_path, ignore=("static/qr/", "*.tmp.css")) as told:
        for name in ("qr/1.png", "qr/deep/2.png", "a.tmp.css", "app.css"):
            (tmp_path / "static" / name).write_text("x")
        assert told.get(timeout=PATIENCE) == {Path("static/app.css")}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_beyond_the_limits_of_inotify_files_are_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Where the system has no more watches to give, one line says so, and changes are found all the same."""

    class Full(Observer):  # type: ignore[valid-type, misc]
        def start(self) -> None:
            raise OSError(number, "inotify limit reached")

    monkeypatch.setattr(watch, "Observer", Full)
    (tmp_path / "templates").mkdir()
    said: list[str] = []
    with watching(tmp_path, say=said.append) as told:
        assert len(said) == 1
        assert said[0].startswith("Files are looked at once a second: inotify limit reached.")
        (tmp_path / "templates/home.html").write_text("x")
        assert told.get(timeout=PATIENCE) == {Path("templates/home.html")}


def test_folder_that_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    """A folder of another user, such as a database's in Docker, is named in one line; the rest is followed."""
    (tmp_path / "wsgi.py").write_text(APP)
    (tmp_path / "docker/pgdata").mkdir(parents=True)
    (tmp_path / "docker/pgdata").chmod(0)
    with closing(Dev(tmp_path, before=BOUND)) as dev:
        dev.wait_for("Changes in docker/pgdata are not followed: this user may not read there.")
        dev.up()
        (tmp_path / "wsgi.py").write_text(APP + "\n# changed\n")
        dev.wait_for("wsgi.py changed: app started again")
        assert "Traceback" not in dev.output


def test_app_that_writes_below_static_does_not_reload_for_ever(tmp_path: Path) -> None:
    """A page that writes a static file each time it is shown is noticed, left out, and named with what to do."""
    (tmp_path / "static").mkdir()
    (tmp_path / "wsgi.py").write_text(APP)
    with closing(Dev(tmp_path).up()) as dev:
        for count in range(loop.CHANGES_MAX):
            (tmp_path / "static/qr.svg").write_text(str(count))
            dev.wait_for("static/qr.svg changed: pages reloaded")
        (tmp_path / "static/qr.svg").write_text("once more")
        line = dev.wait_for("static/ changes again and again.*")[0]
        assert "Have git ignore what the app writes, or use --ignore 'static/*'" in line
        (tmp_path / "wsgi.py").write_text(APP + "\n# changed\n")
        dev.wait_for("app started again")
        assert dev.output.count("pages reloaded") == loop.CHANGES_MAX


def test_folder_that_was_quiet_is_followed_again() -> None:
    """Once a folder was quiet for a while, its changes count again; other folders' always did."""
    now, said = 0.0, list[str]()
    loops = loop.Loops(said.append, clock=lambda: now)
    wrote, other = Path("static/qr.svg"), Path("templates/home.html")
    for now in [count / 10 for count in range(40)]:  # noqa: B007 - the clock reads it
        followed = loops.without([wrote])
    assert not followed
    assert len(said) == 1
    assert loops.without([wrote, other]) == {other}
    now += loop.WINDOW
    assert loops.without([wrote]) == {wrote}
