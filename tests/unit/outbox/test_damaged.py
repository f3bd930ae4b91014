"""An outbox whose file is damaged, or was made by a newer version, is named in one sentence."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Run


def garbage(file: Path) -> None:
    file.write_bytes(b"nothing that SQLite knows " * 100)


def truncated(file: Path) -> None:
    os.truncate(file, 3000)


def newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE outbox_version SET version_num = '9999'")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "why"), [(garbage, "not a database"), (truncated, "malformed"), (newer, "newer version")]
)
def test_an_outbox_that_cant_be_read_is_named_and_kept(
    tmp_path: Path, damage: Callable[[Path], None], why: str
) -> None:
    """The sentence names the reason and what to do, and the file stays as it was."""

    def listed() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "miniapp", "outbox", "list"],
            cwd=tmp_path,
            env={**os.environ, "ONECHAT_OUTBOX_URL": "sqlite:///outbox.db"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert listed().returncode == 0
    damage(tmp_path / "outbox.db")
    before = (tmp_path / "outbox.db").read_bytes()
    result = listed()
    assert result.returncode == 1
    assert why in result.stderr
    assert len(result.stderr.strip().splitlines()) == 2
    assert (tmp_path / "outbox.db").read_bytes() == before


def test_an_env_file_that_cant_be_read_is_named(run: Run, tmp_path: Path) -> None:
    """Commands that read `.env` say which file it is and what is wrong with it."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    for command in (("outbox", "list"), ("worker",), ("register", "--name", "Lunch", "--admin-jid", "a@onechat.net")):
        result = run(*command)
        assert result.exit_code == 3
        assert ".env: is not UTF-8 text." in result.output
