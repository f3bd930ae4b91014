"""The supervisor's handle on one child process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..settings import PREFIX

STOP_TIMEOUT = 3.0  # seconds for the app's own clean-up; then the child is killed


@dataclass(frozen=True)
class Ready:
    """The child answers: with the app, or (`error`) with a page that shows why there is none."""

    child: AppProcess
    error: str | None = None
    name: str | None = None
    icon: str | None = None


@dataclass(frozen=True)
class Ended:
    """The child ended without being told to."""

    child: AppProcess


class AppProcess:
    """A child that has loaded the framework and waits for its orders.

    The listening socket stays open here and is shared by one child after the other, so a request that comes in while
    the app restarts waits instead of failing. `report` is called, on another thread, with `Ready` and `Ended`.
    """

    def __init__(self, listener: socket.socket, directory: Path, report: Callable[[Ready | Ended], object]) -> None:
        self._report = report
        self._stopping = False
        self._channel, theirs = socket.socketpair()
        fds = (theirs.fileno(), listener.fileno())
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        # Ctrl-C reaches the whole foreground group: hold it back until the child has a handler for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "miniapp.dev.child", *map(str, fds)],
                pass_fds=fds,
                cwd=directory,
                env=environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            theirs.close()

    @property
    def pid(self) -> int:
        """The process ID of the running app."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the app, or None while it runs."""
        return self._process.poll()

    def start(self, orders: dict[str, Any]) -> None:
        """Have the child load the app and serve it."""
        with contextlib.suppress(OSError):  # it ended already: the reader below will say so
            self._channel.sendall(json.dumps(orders).encode() + b"\n")
        threading.Thread(target=self._read, name="app", daemon=True).start()

    def _read(self) -> None:
        with self._channel.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                self._report(Ready(self, answer.get("error"), answer.get("name"), answer.get("icon")))
        self._process.wait()
        if not self._stopping:
            self._report(Ended(self))

    def stop(self) -> None:
        """End the child; it is gone when this returns."""
        self._stopping = True
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._channel.close()
