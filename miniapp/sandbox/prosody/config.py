"""The directory that one Prosody runs from: its configuration, its data, and who owns them."""

from __future__ import annotations

import os
import pwd
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ...errors import MiniAppError
from ..store import checkpoints
from .temporary import TemporaryDirectory, clear_away

HERE = Path(__file__).parent
UNPRIVILEGED = ("prosody", "nobody")  # whom Prosody runs as where we are root, which it refuses to be
DATA = "data"
ARCHIVE = Path(DATA) / "archive.sqlite"
_NAME = "prosody.cfg.lua"


def unprivileged() -> pwd.struct_passwd | None:
    """Whom Prosody is to run as, or None to run it as who we are."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def usable_directory(wanted: Path | None, user: pwd.struct_passwd | None) -> tuple[Path, TemporaryDirectory | None]:
    """A directory for Prosody that `user` can reach, and what to remove at the end if it is a temporary one.

    A directory below one that is closed to `user`, such as root's home, is of no use: then a temporary one is made.
    """
    clear_away({os.geteuid(), user.pw_uid if user else os.geteuid()})
    if wanted is not None:
        wanted = wanted.resolve()
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in wanted.parents):
            _own(wanted, user)
            return wanted, None
    temporary = TemporaryDirectory()
    _own(temporary.path, user)
    return temporary.path, temporary


def write(directory: Path, user: pwd.struct_passwd | None, given: Mapping[str, str | int]) -> Path:
    """Write the configuration, readable by its owner alone since there are secrets in it."""
    modules = directory / "modules"  # a copy: an installation may be in a place that `user` can't reach
    for folder in (directory / DATA, directory / "certs", modules):
        folder.mkdir(mode=0o700, exist_ok=True)
        _own(folder, user)
    archive = directory / ARCHIVE
    if archive.exists():
        _check(archive)
    else:
        checkpoints.create(archive)
        _own(archive, user)
    for source in (HERE / "modules").glob("*.lua"):
        _put(modules / source.name, source.read_text("utf-8"), user)
    given = {**given, "directory": str(directory), "modules": str(modules)}
    table = "".join(f"\t{key} = {lua(value)};\n" for key, value in given.items())
    template = (HERE / _NAME).read_text("utf-8")
    return _put(directory / _NAME, template.replace("{{ given }}", "{\n" + table + "}"), user)


def _check(archive: Path) -> None:
    """Raise `MiniAppError` if the archive is no database: Prosody itself would say so in the midst of its log."""
    try:
        with closing(sqlite3.connect(archive)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        pass  # in use, or not for us to open: Prosody waits for it, or says why
    except sqlite3.DatabaseError as error:
        raise MiniAppError(
            f"Prosody's archive {archive} can't be used: {error}.",
            hint="Move the file away and start again: archives begin empty, and the phones show what they had.",
            code="prosody",
        ) from None


def lua(value: str | int) -> str:
    """`value` as Lua writes it. Bytes that could mean something to Lua become numbers."""
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03}" for b in value.encode()) + '"'


def _put(path: Path, text: str, user: pwd.struct_passwd | None) -> Path:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _own(path, user)
    return path


def _own(path: Path, user: pwd.struct_passwd | None) -> None:
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
