"""What one project keeps for its local OneChat, and the environment its app gets."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..controls import Controls, settings_for
from ..errors import MiniAppError
from ..settings import read_secret_key
from .process import Ready

if TYPE_CHECKING:
    from ..sandbox import Sandbox

FOLDER = ".onechat"
DATABASE = "sandbox.sqlite3"


@contextlib.contextmanager
def state_folder(folder: Path) -> Iterator[Path]:
    """`folder`, made for the owner alone, kept out of git, and held for this process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    with open(folder / "lock", "a+") as lock:
        try:
            _lock(lock)
        except OSError:
            lock.seek(0)
            raise MiniAppError(
                f"Process {lock.read().strip() or 'unknown'} runs a sandbox on {folder} already.",
                hint="Stop that one first, or give this one another folder.",
                code="already_running",
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield folder


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
        return self._kept["appId"]

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            kept = {}
        if not isinstance(kept, dict):
            kept = {}
        kept.setdefault("appId", f"app-{secrets.token_hex(6)}")  # as the sandbox makes them
        kept.setdefault("secretKey", secrets.token_urlsafe(32))
        return kept

    def _save(self) -> None:
        with open(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file)

    def register(self, sandbox: Sandbox, url: str) -> bool:
        """Have this app in the sandbox, approved and at `url`; whether the sandbox is as it was in the run before."""
        from ..sandbox.fields import check_field

        admin = next(user.jid for user in sandbox.store.users.all() if user.admin)
        sandbox.store.apps.provide(
            self.app_id,
            self._api_key,
            name=check_field("name", "name", {"name": self.directory.name or "app"}),
            icon=url + "favicon.ico",
            url=url,
            admin=admin,
        )
        sandbox.events.publish("state")
        before = dict(self._kept)
        self._kept |= {"domain": sandbox.domain, "admin": admin}
        self._save()
        return self._kept == before

    def is_registered(self, controls: Controls) -> bool:
        """Whether the sandbox has this app: a reset, or somebody in its admin portal, may have taken it out."""
        return any(app["appId"] == self.app_id for app in controls.state()["apps"])

    def describe(self, controls: Controls, url: str, ready: Ready) -> None:
        """Give the sandbox the name and icon that the app has."""
        fields = {"name": ready.name, "icon": ready.icon and url + ready.icon.lstrip("/")}
        if told := {key: str(value) for key, value in fields.items() if value}:
            controls.change_app(self.app_id, **told)

    def orders(self, sandbox_url: str, url: str, *, debugger: bool, hosts: list[str]) -> dict[str, Any] | None:
        """What the child is told; see `child`. None while no sandbox has been seen."""
        if "admin" not in self._kept:
            return None
        environment = {"FLASK_DEBUG": "1", "ADMIN_JIDS": self._kept["admin"]} | settings_for(
            sandbox_url, domain=self._kept["domain"], app_id=self.app_id, api_key=self._api_key, public_url=url
        )
        secret_key, _ = read_secret_key({}, self.directory / ".env")
        if not secret_key:
            environment["SECRET_KEY"] = self._kept["secretKey"]
        return {"app": self.app, "debugger": debugger, "hosts": hosts, "environment": environment}
