"""Threat 34, the registration's part: the API key goes into a file that git will not take."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from miniapp.testing.onechat import LocalOneChat
from support.commands import Run


def git(*command: str, cwd: Path) -> str:
    return subprocess.run(["git", *command], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def register(onechat_server: LocalOneChat, run: Run, env: dict[str, str]) -> Run:
    """`register()` registers an app in the sandbox, in the working directory."""
    session_id = onechat_server.session(onechat_server.admin)
    args = ["register", "--name", "Lunch", "--url", "https://lunch.example", "--admin-jid", onechat_server.admin.jid]
    return lambda: run(*args, "--api-url", env["ONECHAT_API_URL"], "--session-id-stdin", stdin=session_id)


def test_registered_key_is_not_staged(register: Run, tmp_path: Path) -> None:
    """After `miniapp register`, `git add -A` stages no file that has the key, and only its owner can read it."""
    git("init", "-q", cwd=tmp_path)
    (tmp_path / ".gitignore").write_text(".env\n")
    assert register().exit_code == 0
    key = (tmp_path / ".env").read_text().split("ONECHAT_API_KEY=")[1].split()[0]
    git("add", "-A", cwd=tmp_path)
    assert key not in git("diff", "--cached", cwd=tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["tracked", "not ignored"])
def test_file_that_git_would_take_is_refused(
    onechat_server: LocalOneChat, register: Run, tmp_path: Path, how: str
) -> None:
    """A .env that is tracked, or would be with the next `git add`, is refused before anything is sent."""
    git("init", "-q", cwd=tmp_path)
    if how == "tracked":
        (tmp_path / ".env").write_text("A=1\n")
        git("add", ".env", cwd=tmp_path)
        (tmp_path / ".gitignore").write_text(".env\n")
    count = len(onechat_server.controls.state()["apps"])
    result = register()
    assert result.exit_code == 1
    assert "git" in result.output
    assert len(onechat_server.controls.state()["apps"]) == count
    assert not (tmp_path / ".env").exists() or (tmp_path / ".env").read_text() == "A=1\n"
