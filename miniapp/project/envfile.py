"""Secrets in a `.env`: written whole and at once, for their owner alone, and never where git would pick them up."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from dotenv.parser import parse_stream

from ..errors import Code, MiniAppError


class EnvFile:
    """A `.env` that is about to be written: `store` puts values into it and leaves all else as it is."""

    def __init__(self, path: Path, draft: Path, file: IO[str]) -> None:
        self._path = path
        self._draft = draft
        self._file = file

    def store(self, values: Mapping[str, str]) -> None:
        """Set `values`, at once and whole: whoever reads the file sees it as it was or as it is to be."""
        text = with_values(_text(self._path), values)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._draft, self._path)


@contextlib.contextmanager
def open_env_file(path: Path) -> Iterator[EnvFile]:
    """Yield the file at `path` for writing secrets. Raises `MiniAppError` if it can't, or should not, hold them."""
    refuse_unsafe(path)
    with contextlib.ExitStack() as stack:
        try:
            # mkstemp makes it readable by its owner alone, and beside the file, so that one rename puts it there.
            descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
            stack.callback(Path(draft).unlink, missing_ok=True)
            file = open(descriptor, "w+", encoding="utf-8")  # noqa: SIM115 - closed by the stack
            stack.callback(_close, file)
            # As much as it will hold, so that a full disk shows before the call and not after it.
            file.write(_text(path) + " " * 4096)
            file.flush()
        except OSError as error:
            raise MiniAppError(
                f"Can't write into {path.parent.resolve()}: {error.strerror}.",
                hint="Nothing was sent. Make it writable, or make room, or choose another file with --env-file.",
                code=Code.ENV_FILE,
            ) from None
        yield EnvFile(path, Path(draft), file)


def _close(file: IO[str]) -> None:
    with contextlib.suppress(OSError):  # what a full disk did not take is tried again, and has been told of
        file.close()


def refuse_unsafe(path: Path) -> None:
    """Refuse a file for secrets that is a link, no plain file, in git, or about to be."""

    def refuse(what: str, fix: str) -> None:
        raise MiniAppError(f"{path} {what}.", hint=f"Nothing was sent. {fix}", code=Code.ENV_FILE)

    if path.is_symlink():
        refuse("is a symbolic link", "Name the file it leads to with --env-file.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        refuse("is not a plain file", "Choose another with --env-file.")
    if git(path, "ls-files", "--error-unmatch") == 0:
        refuse("is tracked by git", f"Take it out, and out of the history: git rm --cached {path.name}")
    if git(path, "check-ignore", "--quiet") == 1:
        refuse("is not ignored by git", f"Add a line to .gitignore: {path.name}")


def git(path: Path, *command: str) -> int | None:
    """Return the exit code of a git command about `path`, or None where there is no git."""
    try:
        return subprocess.run(
            ["git", "-C", str(path.parent), *command, "--", path.name], capture_output=True, check=False
        ).returncode
    except OSError:
        return None


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a `.env` with `values` set; comments, order and every other line stay."""
    lines, left = [], dict(values)
    for binding in parse_stream(io.StringIO(text)):
        if binding.key not in values:
            lines.append(binding.original.string)
        elif binding.key in left:  # where it stood first; the last one would count, so later ones go
            blank = re.match(r"\s*", binding.original.string)
            lines.append(f"{blank and blank[0]}{binding.key}={quoted(left.pop(binding.key))}\n")
    before = "".join(lines)
    if left and before and not before.endswith("\n"):
        before += "\n"
    return before + "".join(f"{key}={quoted(value)}\n" for key, value in left.items())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.exists() else ""


def quoted(value: str) -> str:
    """`value` as a `.env` has it: bare where that is safe, since `docker --env-file` knows no quotes."""
    if re.fullmatch(r"[\w.:/+=~@%-]+", value, re.ASCII):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
