"""The processes that benchmarks start: gunicorn, the stub host; and what processes cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A process and the URL that it said it serves."""

    process: subprocess.Popen[str]
    url: str

    def cpu(self) -> float:
        """Seconds of processor time that it and its children have had."""
        return sum(cpu(pid) for pid in (self.process.pid, *children(self.process.pid)))


@contextmanager
def running(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, said: str = r"(http://127\.0\.0\.1:\d+)"
) -> Iterator[Running]:
    """A process, from when it has written `said` to standard output or error; `url` is that pattern's first group."""
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines, found = list[str](), None
    try:
        for line in process.stdout:
            lines.append(line)
            if found := re.search(said, line):
                break
        if found is None:
            raise RuntimeError(f"{' '.join(arguments)} did not start:\n" + "".join(lines))
        # Somebody has to read on, or it stops once the pipe is full.
        output = process.stdout
        reader = threading.Thread(target=lambda: lines.extend(output), daemon=True)
        reader.start()
        yield Running(process, found[1] if found.groups() else "")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if found:
            reader.join()
        process.stdout.close()


@contextmanager
def gunicorn(app: str, environment: Mapping[str, str], *arguments: str) -> Iterator[Running]:
    """`app` (module:call) under gunicorn, as docs/deploy.md has it: worker class gthread."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--worker-class", "gthread", *arguments, app]
    with running(command, environment) as server:
        yield server


@contextmanager
def host(*arguments: str) -> Iterator[Running]:
    """The stub host, in a process of its own."""
    with running([sys.executable, "-m", "bench.host", *arguments]) as server:
        yield server


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu(pid: int) -> float:
    """Seconds of processor time that the process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK
