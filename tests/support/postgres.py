"""Debian's Postgres as a child of the tests: unprivileged, in a temporary directory, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

PATIENCE = 60.0  # seconds for what takes one or two: two cores run the whole suite at once


def programs() -> Path:
    """Return the folder with the programs of Debian's latest Postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "Postgres is missing: apt-get install postgresql"
    return found[-1]


class Postgres:
    """Run a server with an empty database at `url`. It keeps its data over `kill` and `start`.

    `environment` is for the server's process alone, for example with a clock that can be set.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="miniapp-postgres-", dir="/tmp"))
        self._who: dict[str, Any] = {}
        if os.getuid() == 0:  # Postgres refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._run(
            "initdb", "-U", "miniapp", "-A", "trust", "-E", "UTF8", "--locale=C", "-D", str(self._folder / "data")
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)  # "fast": ends all sessions
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        return f"postgresql://miniapp@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        ends = time.monotonic() + PATIENCE
        log = (self._folder / "log").open("ab")
        while time.monotonic() < ends:
            # After a kill the old sessions need a moment to notice; until then a new server refuses to start.
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self._folder / "data", "-k", self._folder, "-c", "listen_addresses="],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                env=self._environment,
                **self._who,
            )
            while self._process.poll() is None and time.monotonic() < ends:
                if self._run("pg_isready", "-h", str(self._folder), "-t", "1", check=False).returncode == 0:
                    log.close()
                    return
        raise RuntimeError("Postgres did not start:\n" + (self._folder / "log").read_text()[-2000:])

    def empty(self) -> None:
        """Drop what earlier tests made: schemas and roles."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
            for (name,) in connection.execute(schemas).fetchall():
                connection.execute(f'DROP SCHEMA "{name}" CASCADE')
            for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = 'app'").fetchall():
                connection.execute(f'DROP OWNED BY "{name}"')
                connection.execute(f'DROP ROLE "{name}"')
            connection.execute("CREATE SCHEMA public")

    def kill(self) -> None:
        """Kill the server as a power cut does."""
        self._process.kill()
        self._process.wait()

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        command = [programs() / program, *arguments]
        return subprocess.run(command, cwd=self._folder, capture_output=True, check=check, **self._who)
