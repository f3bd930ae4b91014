"""What one project keeps for its local OneChat, and the environment its app gets."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from .. import contract
from ..errors import Code, MiniAppError
from ..login.secret_keys import read_secret_key
from ..testing.controls import Controls, settings_for
from .process import Ready

if TYPE_CHECKING:
    from ..sandbox import Sandbox

FOLDER = ".onechat"
DATABASE = "sandbox.sqlite3"
LOCK = "lock"
SEED_DOMAIN = "onechat.localhost"
_WORD = re.compile(r"[^\s\0]+")  # as an environment variable can hold it


class StateFolder:
    """Hold the folder `path` for this process until `close()`: made for the owner alone, and kept out of git.

    Raises `MiniAppError` if it can't be used, or if another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._usable():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._parent = _identity(path.parent)
            self._lock = self._take()

    def keep(self) -> bool:
        """Make the folder again if it was removed; says whether it was.

        A lock on a removed file keeps no other process out, so the folder is locked again too.
        """
        if _identity(self.path / LOCK) == _identity(self._lock.fileno()):
            return False
        if _identity(self.path.parent) != self._parent:
            raise MiniAppError(
                f"{self.path.parent.absolute()} was moved or removed while a sandbox used {self.path} in it.",
                hint="Start again where it is now.",
                code=Code.STATE_FOLDER,
            )
        with self._usable():
            self.path.mkdir(mode=0o700, exist_ok=True)
            before, self._lock = self._lock, self._take()
            before.close()
        return True

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> IO[str]:
        ignore = self.path / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:  # empty: its disk was full
            ignore.write_text("*\n")
        lock = open(self.path / LOCK, "a+")  # noqa: SIM115 - open for as long as the folder is held
        try:
            try:
                _lock(lock)
            except OSError:
                lock.seek(0)
                raise MiniAppError(
                    f"Process {lock.read().strip() or 'unknown'} runs a sandbox on {self.path} already.",
                    hint="Stop that one first, or give this one another folder.",
                    code=Code.ALREADY_RUNNING,
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
        except BaseException:
            with contextlib.suppress(OSError):  # a full disk, again
                lock.close()
            raise
        return lock

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unusable(self.path, error) from None


def unusable(path: Path, error: OSError) -> MiniAppError:
    """Make the error for a file at `path`, in a folder for state, that can't be read or written."""
    where = Path(error.filename) if isinstance(error.filename, str) else path
    hint = f"Make it writable for this user (ls -ld {where} shows whose it is), or use another folder."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = f"Make room on its disk (df -h {path.parent} shows it), and start again."
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        hint = f"A folder is wanted there: move what {where} is away, and start again."
    return MiniAppError(f"{where} can't be used: {error.strerror}.", hint=hint, code=Code.STATE_FOLDER)


def _identity(file: Path | int) -> tuple[int, int] | None:
    """Identify the file by device and inode, None if there is none."""
    try:
        found = os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _lock(file: IO[str]) -> None:
    """Lock `file` until it is closed, or raise OSError."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Project:
    """A project in `directory` and its state in `folder`: which app it is in the sandbox, and a secret for logins.

    The app's API key is not kept: each run has a new one, which the app gets by its environment. What the sandbox was
    in the run before is kept, so that the app can be started while the sandbox still starts.
    """

    def __init__(self, directory: Path, folder: Path, app: str) -> None:
        self.directory = directory
        self.app = app
        self._file = folder / "dev.json"
        self._kept = self._load()
        self._api_key = secrets.token_urlsafe(32)

    @property
    def app_id(self) -> str:
        """The app ID that the sandbox gave this project."""
        return self._kept["appId"]

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            kept = {}
        except OSError as error:
            raise unusable(self._file, error) from None
        except (ValueError, RecursionError):
            raise self._unknown_form("it is not JSON") from None
        if not isinstance(kept, dict):
            raise self._unknown_form("it holds no JSON object")
        forms = {"appId": contract.KEY, "secretKey": contract.KEY, "domain": _WORD, "admin": _WORD}
        for name, pattern in forms.items():
            if name in kept and not (isinstance(kept[name], str) and pattern.fullmatch(kept[name])):
                raise self._unknown_form(f"its {name} is not of the form that this version writes")
        kept.setdefault("appId", f"app-{secrets.token_hex(6)}")  # as the sandbox makes them
        kept.setdefault("secretKey", secrets.token_urlsafe(32))
        return kept

    def _unknown_form(self, why: str) -> MiniAppError:
        return MiniAppError(
            f"{self._file} can't be used: {why}.",
            hint="Move it away and start again: the app then gets a new app ID, and its users log in again.",
            code=Code.STATE_FOLDER,
        )

    def save(self) -> None:
        """Write down what is kept, whole or not at all. Raises `MiniAppError`."""
        draft = self._file.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(self._kept, file)
            os.replace(draft, self._file)
        except FileNotFoundError:
            pass  # the folder was removed: it is soon made again, and then this is called again
        except OSError as error:
            raise unusable(self._file, error) from None

    def register(self, sandbox: Sandbox, url: str) -> bool:
        """Have this app in the sandbox, approved, at `url` and open on the phones at the start.

        Says whether the sandbox is as it was in the run before.
        """
        from ..sandbox.web.validation import check_field

        admin = sandbox.store.users.admins()[0].jid
        sandbox.store.apps.provide(
            self.app_id,
            self._api_key,
            name=check_field("name", "name", {"name": self.directory.name or "app"}),
            icon=url + "favicon.ico",
            url=url,
            admin=admin,
        )
        sandbox.first_app = self.app_id
        sandbox.events.publish("state")
        before = dict(self._kept)
        self._kept |= {"domain": sandbox.domain, "admin": admin}
        self.save()
        return self._kept == before

    def is_registered(self, sandbox: Sandbox) -> bool:
        """Return whether the sandbox has this app: a reset, or a person in its admin portal, may have taken it out."""
        return sandbox.store.apps.find(self.app_id) is not None

    def describe(self, controls: Controls, url: str, ready: Ready) -> None:
        """Give the sandbox the name and icon that the app has."""
        fields = {"name": ready.name, "icon": ready.icon and url + ready.icon.lstrip("/")}
        if told := {key: str(value) for key, value in fields.items() if value}:
            controls.change_app(self.app_id, **told)

    def orders(self, sandbox_url: str, url: str, *, debugger: bool, hosts: list[str]) -> dict[str, Any] | None:
        """Return what the child is told (see `child`), or None while no sandbox has been seen."""
        if "admin" not in self._kept:
            return None
        environment = self.environment(sandbox_url, url)
        return {"app": self.app, "debugger": debugger, "hosts": hosts, "environment": environment}

    def environment(self, sandbox_url: str, url: str) -> dict[str, str]:
        """Return the settings of the app at `url` under the sandbox at `sandbox_url`; at first those of the seed."""
        domain = self._kept.get("domain", SEED_DOMAIN)
        environment = {"FLASK_DEBUG": "1", "ADMIN_JIDS": self._kept.get("admin", "")} | settings_for(
            sandbox_url, domain=domain, app_id=self.app_id, api_key=self._api_key, public_url=url
        )
        secret_key, _ = read_secret_key({}, self.directory / ".env")
        if not secret_key:
            environment["SECRET_KEY"] = self._kept["secretKey"]
        return environment
