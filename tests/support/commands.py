"""Ways to run the command line in a test."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from click.testing import Result

from miniapp.cli import cli

CTRL_C = b"\x03"
PATIENCE = 20.0  # seconds for anything that takes a tenth of one: two cores run the whole suite at once

# Root may write everywhere; without these capabilities the permission bits hold for it too.
BOUND = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

Run = Callable[..., Result]


def loaded() -> dict[str, click.Command]:
    """Return every command by its name."""
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def at_terminal(answers: list[tuple[str, str]], *args: str, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """Run the command at a terminal and type each answer after its question. Return exit code and output."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        os.chdir(cwd)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored, if these tests run in the background of a script
        os.execve(sys.executable, [sys.executable, "-m", "miniapp", *args], {**os.environ, **env})
    shown, left, given, ends = "", list(answers), b"", time.monotonic() + PATIENCE
    with open(terminal, "r+b", buffering=0) as screen:
        while time.monotonic() < ends:
            if not select.select([screen], [], [], 1)[0]:
                if given == CTRL_C:
                    screen.write(given)  # input() misses a signal that comes just before it begins to wait
                continue
            try:
                chunk = screen.read(4096)
            except OSError:  # how Linux tells that the other side has gone
                break
            if not chunk:
                break
            shown += chunk.decode()
            if left and left[0][0] in shown:
                given = left.pop(0)[1].encode()
                screen.write(given)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown
