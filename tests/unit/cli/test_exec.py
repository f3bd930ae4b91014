"""Tests of `miniapp exec`: any command, with the settings that the app has under `miniapp dev`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from miniapp.project import new as scaffold
from support.commands import PATIENCE

LOOK = "import os; print(sorted(key for key in os.environ if key.startswith('ONECHAT_'))); raise SystemExit(7)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project, not registered yet."""
    scaffold.create(tmp_path / "lunch", {})
    return tmp_path / "lunch"


def run(project: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ONECHAT_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=project,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_flask_commands_work_before_registration(project: Path) -> None:
    """`miniapp exec -- flask routes` loads the app although it has no app ID yet, and writes nothing."""
    before = sorted(project.iterdir())
    done = run(project, "miniapp", "exec", "--", "flask", "routes", PATH="")
    assert "pages.home" in done.stdout, done.stderr
    assert done.returncode == 0
    assert [path for path in sorted(project.iterdir()) if path.name != "__pycache__"] == before


def test_the_error_of_the_settings_names_the_way_out(project: Path) -> None:
    """`flask routes` by itself fails before registration, and the error says which command works."""
    done = run(project, "flask", "routes")
    assert done.returncode != 0
    assert "ONECHAT_APP_ID: is not set." in done.stderr
    assert "miniapp exec -- flask" in done.stderr


def test_settings_and_exit_code(project: Path) -> None:
    """The command has all settings of the sandbox, none of a real OneChat, and its exit code is the result."""
    done = run(project, "miniapp", "exec", sys.executable, "-c", LOOK, ONECHAT_API_KEY="of-a-real-onechat")
    assert done.returncode == 7
    assert "ONECHAT_API_URL" in done.stdout
    look = "import os; print(os.environ['ONECHAT_API_URL'], os.environ['ONECHAT_API_KEY'])"
    url, key = run(
        project, "miniapp", "exec", "--", sys.executable, "-c", look, ONECHAT_API_KEY="of-a-real-onechat"
    ).stdout.split()
    assert url.startswith("http://127.0.0.1:8700/")
    assert key != "of-a-real-onechat"


def test_a_command_that_is_not_there(project: Path) -> None:
    """A command that can't be found is named, with what to do."""
    done = run(project, "miniapp", "exec", "flusk", "routes")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no command flusk.\n")
