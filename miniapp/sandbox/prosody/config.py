"""The directory that one Prosody runs from: its configuration, its data, and who owns them."""

from __future__ import annotations

import os
import pwd
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ...errors import Code, MiniAppError
from .temporary import TemporaryDirectory, clear_away

HERE = Path(__file__).parent
UNPRIVILEGED = ("prosody", "nobody")  # whom Prosody runs as where we are root
DATA = "data"
ARCHIVE = Path(DATA) / "archive.sqlite"
PORTS = "ports.json"
_NAME = "prosody.cfg.lua"


def usable_directory(wanted: Path | None) -> tuple[Path, TemporaryDirectory | None, pwd.struct_passwd | None]:
    """Make the directory that Prosody runs from: `wanted`, or a temporary one, which has to be removed at the end.

    Return it with whom Prosody runs as there; None is the user of this process. Root gives its rights up, unless no
    other user can enter the directory, as in root's home.
    """
    user = _unprivileged() if os.geteuid() == 0 else None
    clear_away({os.geteuid(), user.pw_uid if user else os.geteuid()})
    if wanted is None:
        temporary = TemporaryDirectory()
        _own(temporary.path, user)
        return temporary.path, temporary, user
    wanted = wanted.resolve()
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in wanted.parents):
        user = None
    _own(wanted, user)
    return wanted, None, user


def _unprivileged() -> pwd.struct_passwd | None:
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def write(directory: Path, user: pwd.struct_passwd | None, given: Mapping[str, str | int]) -> Path:
    """Write the configuration, readable by its owner alone, as it holds secrets."""
    modules = directory / "modules"  # a copy: an installation may be in a place that `user` can't reach
    for folder in (directory / DATA, directory / "certs", modules):
        folder.mkdir(mode=0o700, exist_ok=True)
        _own(folder, user)
    if (directory / ARCHIVE).exists():
        _check(directory / ARCHIVE)
    for source in (HERE / "modules").glob("*.lua"):
        put(modules / source.name, source.read_text("utf-8"), user)
    given = {**given, "directory": str(directory), "modules": str(modules)}
    table = "".join(f"\t{key} = {lua(value)};\n" for key, value in given.items())
    template = (HERE / _NAME).read_text("utf-8")
    return put(directory / _NAME, template.replace("{{ given }}", "{\n" + table + "}"), user)


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
            code=Code.PROSODY,
        ) from None


def lua(value: str | int) -> str:
    """`value` as Lua writes it. Bytes that could mean something to Lua become numbers."""
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03}" for b in value.encode()) + '"'


def put(path: Path, text: str, user: pwd.struct_passwd | None) -> Path:
    """Write `text` to a new file at `path`, for `user` alone."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _own(path, user)
    return path


def _own(path: Path, user: pwd.struct_passwd | None) -> None:
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
