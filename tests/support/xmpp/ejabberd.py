"""Debian's ejabberd as a server of another operator: its own configuration, our accounts, on 127.0.0.1."""

from __future__ import annotations

import glob
import os
import pwd
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from support.paths import ROOT

CONFIG = """
hosts: ["{domain}"]
loglevel: warning
listen:
  - {{port: {c2s}, ip: "127.0.0.1", module: ejabberd_c2s, access: c2s, starttls: false, max_stanza_size: 262144}}
  - port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    hosts: {{"alerts.{domain}": {{password: "{secret}"}}}}
  - port: {http}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers: {{/ws: ejabberd_http_ws, /bosh: mod_bosh}}
auth_method: [external]
extauth_program: "{extauth}"
extauth_pool_size: 2
auth_use_cache: false
sql_type: sqlite
sql_database: "{directory}/archive.db"
acl: {{alerts: {{server: "alerts.{domain}"}}}}
access_rules: {{c2s: {{allow: all}}, rooms: {{allow: alerts}}, configure: {{allow: alerts}}, archive: {{allow: all}}}}
modules:
  mod_adhoc: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_configure: {{}}
  mod_disco: {{}}
  mod_mam: {{db_type: sql, default: always, assume_mam_usage: true}}
  mod_muc:
    host: "muc.@HOST@"
    access_admin: rooms
    access_mam: archive
    default_room_options: {{mam: true, persistent: true}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_pubsub: {{plugins: [flat, pep]}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
  mod_vcard: {{db_type: sql, search: true}}
"""
START_SECONDS = 60  # it takes 2 s by itself; Erlang shares two cores with the other tests


class Ejabberd:
    """Run an ejabberd for `domain`, from `start()` to `stop()`. It asks about accounts at `accounts_port`."""

    config = CONFIG
    # Erlang's schedulers spin while they have nothing to do. On a busy machine that made ejabberd late by 40 seconds.
    flags: tuple[str, ...] = ("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none")

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.secret, self.accounts_secret = "component-secret", "accounts-secret"
        self.c2s, self.component, self.http, self.accounts_port = _free_ports(4)
        self.directory = Path(tempfile.mkdtemp(prefix="ejabberd-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Ejabberd:
        secret = self.directory / "accounts.secret"
        secret.write_text(self.accounts_secret)
        extauth = f"{_python()} -S {self.directory}/extauth.py http://127.0.0.1:{self.accounts_port} {secret}"
        shutil.copy(ROOT / "miniapp/sandbox/network/xmpp/extauth.py", self.directory)
        config = self.directory / "ejabberd.yml"
        config.write_text(self.config.format(**vars(self), extauth=extauth))
        if not (self.directory / "archive.db").exists():
            database = sqlite3.connect(self.directory / "archive.db")
            database.executescript(Path("/usr/share/ejabberd/sql/lite.sql").read_text())
            database.close()
        who: dict[str, object] = {}
        if os.geteuid() == 0:  # root may not be let in by what runs as somebody else, nor does ejabberd like it
            user = pwd.getpwnam("ejabberd")
            for path in (self.directory, *self.directory.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        libraries = glob.glob("/usr/lib/*/ejabberd-*")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "EJABBERD_CONFIG_PATH": str(config),
            "EJABBERD_LOG_PATH": str(self.directory / "ejabberd.log"),
            "ERL_LIBS": str(Path(libraries[0]).parent),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        with open(self.directory / "output", "wb") as output:
            self._process = subprocess.Popen(
                ["erl", "-noinput", *self.flags, "-mnesia", "dir", f'"{self.directory}/db"', "-s", "ejabberd"],
                cwd=self.directory,
                env=environment,
                stdout=output,
                stderr=output,
                **who,  # type: ignore[call-overload]
            )
        tick = threading.Event()
        for _ in range(START_SECONDS * 20):
            if self._process.poll() is not None:
                break
            if all(_answers(port) for port in (self.c2s, self.component, self.http)):
                return self
            tick.wait(0.05)
        said = (self.directory / "output").read_text()
        self.stop()
        raise RuntimeError(f"ejabberd did not start:\n{said}")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def _python() -> str:
    """Return a Python that ejabberd's user can run: the system's, as the program needs only the standard library."""
    return "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


def _free_ports(count: int) -> list[int]:
    """Return ports below those that the kernel gives to connections. Tests that run in parallel get other ports.

    A port from the kernel's range might be taken before ejabberd opens it.
    """
    ports: set[int] = set()
    lowest = 20_000 + os.getpid() % 100 * 100
    while len(ports) < count:
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port := random.randrange(lowest, lowest + 100))).close()
            ports.add(port)
    return list(ports)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
