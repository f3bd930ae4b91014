"""`miniapp dev` as a process."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from miniapp.testing.controls import Controls
from support.commands import PATIENCE


class Dev:
    """Hold a running `miniapp dev`: its output lines, and the addresses in its banner."""

    def __init__(
        self, project: Path, *options: str, environment: dict[str, str] | None = None, before: Sequence[str] = ()
    ) -> None:
        self.process = subprocess.Popen(
            # XMPP, which takes a second more to start, has tests of its own.
            [
                *before,
                sys.executable,
                "-m",
                "miniapp",
                "dev",
                "--port",
                "0",
                "--sandbox-port",
                "0",
                "--xmpp",
                "off",
                *options,
            ],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.output = ""
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match in a line that no earlier call has read."""
        ends = time.monotonic() + PATIENCE
        while (left := ends - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.output += line
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"No {pattern!r} in:\n{self.output}")

    def up(self) -> Dev:
        self.sandbox = "http://127.0.0.1:" + self.wait_for(r"Phones\s+http://onechat\.localhost:(\d+)/")[1]
        self.app = "http://127.0.0.1:" + self.wait_for(r"Mini app\s+http://localhost:(\d+)/")[1]
        self.wait_for("Ctrl-C")
        return self

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.app + path, timeout=PATIENCE, **options)  # type: ignore[arg-type]

    def facts(self) -> dict[str, str]:
        answer: dict[str, str] = self.get("/facts").json()
        return answer

    def controls(self) -> Controls:
        """Return a client of the sandbox's controls, with the token of the host page."""
        host = "onechat.localhost:" + self.sandbox.rpartition(":")[2]
        page = requests.get(self.sandbox + "/", headers={"Host": host}, timeout=PATIENCE).text
        token = re.search(r'name="sandbox-token" content="([^"]+)"', page)
        assert token
        return Controls(self.sandbox, token[1])

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def close(self) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        with contextlib.suppress(queue.Empty):
            while line := self._lines.get_nowait():
                self.output += line
        return code
