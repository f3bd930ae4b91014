"""Every command in surroundings that are wrong: it says what happened and what to do, and shows no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import BOUND, PATIENCE, loaded

pytestmark = pytest.mark.slow

APP = "from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\nMiniApp(app)\n"
SETTINGS = "SECRET_KEY=nine-blue-whales-sing-here\nONECHAT_APP_ID=app-12345678\nONECHAT_API_KEY=key-12345678\n"
REGISTER = ("--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", "a@b.example", "--session-id-stdin")
LINES = {
    "broadcast": ("broadcast", "hello", "--yes"),
    "dev": ("dev", "--port", "0", "--sandbox-port", "0", "--xmpp", "off"),
    "docs": ("docs", "nonsense"),
    "doctor": ("doctor",),
    "exec": ("exec", "--", "flask", "routes"),
    "new": ("new", "lunch", "--defaults"),
    "ocwp": ("ocwp", "site"),
    "outbox": ("outbox", "list"),
    "register": ("register", *REGISTER),
    "sandbox": ("sandbox", "--port", "0", "--xmpp", "off", "--data", "data"),
    "send": ("send", "a@b.example", "hello"),
    "send-group": ("send-group", "a@muc.b.example", "hello"),
    "worker": ("worker", "--drain"),
}
NEED_ENV_FILE = sorted(set(LINES) - {"docs", "new", "ocwp", "sandbox"})
WRITE = ("dev", "new", "ocwp", "register", "sandbox")
CODES = {1, 2, 3, 4}  # of docs/cli.md, for what fails

Miniapp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "wsgi.py").write_text(APP)
    return directory


@pytest.fixture
def miniapp(project: Path) -> Miniapp:
    """Runs the installed command in the project."""

    def run(*args: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            # As the script that pip installs: Python puts the script's directory first on its path, not this one's.
            [*before, sys.executable, "-P", "-m", "miniapp", *args],
            cwd=project,
            env={**os.environ, "ONECHAT_API_URL": "http://127.0.0.1:9", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
            check=False,
            timeout=PATIENCE,
        )

    return run


def said(done: subprocess.CompletedProcess[str], *, code: int | None = None) -> str:
    """Everything that a failed command said: an error in plain words and one of the documented codes."""
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert done.returncode == code if code is not None else done.returncode in CODES, text
    return text


def test_every_command_is_tried() -> None:
    """Each command has a line here."""
    assert sorted(LINES) == sorted(loaded())


@pytest.mark.parametrize("name", NEED_ENV_FILE)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_env_file_that_is_not_utf_8(miniapp: Miniapp, project: Path, name: str, encoding: str) -> None:
    """A `.env` in UTF-16, as PowerShell writes it, is named as such."""
    (project / ".env").write_bytes(SETTINGS.encode(encoding))
    assert ".env: is not UTF-8 text. Save it as UTF-8." in said(miniapp(*LINES[name]), code=3)


def test_env_file_with_a_byte_order_mark(miniapp: Miniapp, project: Path) -> None:
    """A `.env` with a byte order mark, as Windows' Notepad writes it, is read whole, its first line included."""
    (project / ".env").write_text("ONECHAT_OUTBOX_URL=sqlite:///bulks.db\n" + SETTINGS, encoding="utf-8-sig")
    assert miniapp("outbox", "list").stdout == "No bulks.\n"


@pytest.mark.parametrize("name", WRITE)
def test_directory_that_can_not_be_written(miniapp: Miniapp, project: Path, name: str) -> None:
    """What can't be written is named, with what to look at."""
    project.chmod(0o500)
    text = said(miniapp(*LINES[name], before=tuple(BOUND)), code=1)
    assert "Permission denied" in text
    assert re.search("ls -ld|Make it writable", text)


@pytest.mark.parametrize("name", sorted(LINES))
def test_working_directory_that_is_gone(miniapp: Miniapp, project: Path, name: str) -> None:
    """In a directory that was removed meanwhile, no command shows a traceback."""
    gone = ("sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh")
    said(miniapp(*LINES[name], before=gone))


@pytest.mark.parametrize("name", ["dev", "doctor"])
@pytest.mark.parametrize("file", ["miniapp.py", "flask.py", "click/__init__.py"])
def test_own_file_that_hides_a_package(miniapp: Miniapp, project: Path, name: str, file: str) -> None:
    """A file of the project with a package's name is named, and that it is to be renamed."""
    (project / file).parent.mkdir(exist_ok=True)
    (project / file).write_text("")
    text = said(miniapp(*LINES[name]), code=1)
    assert f"{file.removesuffix('/__init__.py')} in {project} hides the package" in text
    assert "Rename it" in text


@pytest.mark.parametrize("app", ["lunch", "lunch.web:create_app()", "src/wsgi.py", "../lunch"])
def test_dev_where_there_is_no_app(miniapp: Miniapp, project: Path, app: str) -> None:
    """Without an app `miniapp dev` says so and starts nothing."""
    (project / "wsgi.py").unlink()
    text = said(miniapp(*LINES["dev"], "--app", app), code=1)
    assert f"There is no app in {project}: no module {app.partition(':')[0]}." in text
    assert "miniapp new lunch" in text
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("name", ["dev", "sandbox"])
def test_without_the_extra_sandbox(miniapp: Miniapp, project: Path, name: str) -> None:
    """Without the extra, `dev` and `sandbox` say how to install it."""
    (project / "sitecustomize.py").write_text("import sys; sys.modules['sqlalchemy'] = None")
    assert "pip install 'onechat-miniapp[sandbox]'" in said(miniapp(*LINES[name], PYTHONPATH=str(project)), code=1)


def test_ocwp_needs_no_extra(miniapp: Miniapp, project: Path) -> None:
    """The chat plugin's files are copied without the libraries of the sandbox."""
    (project / "sitecustomize.py").write_text("import sys; sys.modules['sqlalchemy'] = None")
    done = miniapp(*LINES["ocwp"], PYTHONPATH=str(project))
    assert done.returncode == 0, done.stderr
    assert (project / "site/ocwp.js").is_file()


@pytest.mark.parametrize("line", [("new", "lunch"), ("register",)], ids=lambda line: line[0])
def test_no_terminal_to_ask_at(miniapp: Miniapp, line: tuple[str, ...]) -> None:
    """Where standard input ends before a question is answered, that is said, and where answers can come from."""
    text = said(miniapp(*line), code=2)
    assert "Standard input ended before all questions were answered. Give the answers as options." in text
    assert "Interrupted" not in text


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_doctor_at_a_terminal_without_its_marks(miniapp: Miniapp, project: Path, encoding: str) -> None:
    """Where standard output can't show ✓ and ✗, plain marks stand there; the JSON is the same everywhere."""
    (project / ".env").write_text(SETTINGS)
    text = said(miniapp("doctor", PYTHONIOENCODING=encoding), code=1)
    assert "+ ok    All settings are right." in text
    assert "x error " in text


def test_names_that_a_terminal_can_not_show(miniapp: Miniapp, project: Path) -> None:
    """A character that standard output's encoding lacks is shown as `?`."""
    done = miniapp("register", *REGISTER, "--dry-run", "--name", "Ħunch 🍜", PYTHONIOENCODING="cp1252")
    assert "?unch ?" in said(done, code=0)
