"""What one project keeps for its local OneChat, and the environment its app gets."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..controls import Controls, settings_for
from ..errors import MiniAppError
from ..settings import read_secret_key
from .process import Ready

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

    The sandbox's API key is not kept: each start gets a new one, and the app gets that by its environment.
    """

    def __init__(self, directory: Path, folder: Path, app: str) -> None:
        self.directory = directory
        self.app = app
        self._file = folder / "dev.json"
        self._kept = self._load()
        self._settings: dict[str, str] = {}
        self.app_id = ""

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            kept = {}
        if not isinstance(kept, dict):
            kept = {}
        kept.setdefault("secretKey", secrets.token_urlsafe(32))
        return kept

    def _save(self) -> None:
        with open(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file)

    def register(self, controls: Controls, url: str) -> None:
        """Make the sandbox know this app, by the same app ID as in earlier runs, as approved and at `url`."""
        state = controls.state()
        admin = next(user["jid"] for user in state["users"] if user["admin"])
        known = {app["appId"]: app for app in state["apps"]}.get(self._kept.get("appId", ""))
        if known:
            self.app_id = known["appId"]
            if (known["url"], known["status"]) != (url, "approved"):
                controls.change_app(self.app_id, url=url, status="approved")
            key = controls.new_key(self.app_id)
        else:
            added = controls.add_app(name=self.directory.name or "app", icon=url + "favicon.ico", url=url, admin=admin)
            self.app_id, key = added["appId"], added["apiKey"]
        self._kept["appId"] = self.app_id
        self._save()
        self._settings = settings_for(
            controls.url, domain=state["domain"], app_id=self.app_id, api_key=key, public_url=url
        ) | {"ADMIN_JIDS": admin}

    def is_registered(self, controls: Controls) -> bool:
        """Whether the sandbox has this app: a reset, or somebody in its admin portal, may have taken it out."""
        return any(app["appId"] == self.app_id for app in controls.state()["apps"])

    def describe(self, controls: Controls, url: str, ready: Ready) -> None:
        """Give the sandbox the name and icon that the app has."""
        fields = {"name": ready.name, "icon": ready.icon and url + ready.icon.lstrip("/")}
        if told := {key: str(value) for key, value in fields.items() if value}:
            controls.change_app(self.app_id, **told)

    def environment(self) -> dict[str, str]:
        """What the app's environment is set to, over whatever it was and over `.env`: the sandbox's settings only."""
        environment = {"FLASK_DEBUG": "1"} | self._settings
        secret_key, _ = read_secret_key({}, self.directory / ".env")
        if not secret_key:
            environment["SECRET_KEY"] = self._kept["secretKey"]
        return environment

    def orders(self, *, debugger: bool, hosts: list[str]) -> dict[str, Any]:
        """What the child is told; see `child`."""
        return {"app": self.app, "debugger": debugger, "hosts": hosts, "environment": self.environment()}
