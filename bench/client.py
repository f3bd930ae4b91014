"""Calls to the host.

`requests.Session` prepares each request, merges settings, and keeps cookies and history: half of a call. Our client
prepares a request once and asks the session's adapter. It also sends head and body in one piece, where urllib3 and
`http.client` send two: one system call less, and the host is woken once. That pays for what it does beyond urllib3:
a deadline over the whole call, limits on what is read, a strict reading of the answer.

slack_sdk opens a connection for each call. That is cheap here, on loopback without TLS, and costs round trips
elsewhere. line-bot-sdk stands on urllib3 too, with models around it. python-telegram-bot is asyncio over httpx.

The next limit is urllib3: headers one by one through checks, the answer's through the parser for e-mail.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

from . import clients
from .processes import ROOT, host
from .report import Progress, Row, Table, interleaved

NOTES = {
    "urllib3 pool": "the limit",
    "requests.Session": "as it is by default",
    "requests.Session, tuned": "a connection for each thread, and no look at the environment",
    "slack_sdk WebClient": "a new connection for each call",
    clients.TELEGRAM: "asyncio: tasks, not threads",
}


def measure(quick: bool, progress: Progress) -> list[Table]:
    rounds, seconds = (1, 0.2) if quick else (7, 0.6)
    tables = []
    for threads in (1, 16):
        with ExitStack() as stack:
            url = stack.enter_context(host()).url
            subjects: dict[str, Callable[[], float]] = {}
            spent: dict[str, list[float]] = {}
            for name in (*clients.SUBJECTS, clients.TELEGRAM):
                progress(f"starting {name}, {threads}")
                client = stack.enter_context(Client(name, threads, url))
                spent[name] = []
                subjects[name] = lambda c=client, s=spent[name]: c.run(seconds, s)  # type: ignore[misc]
            rows = interleaved(subjects, rounds, progress)
        tables += _tables(threads, rows, spent, seconds)
    return tables


class Client:
    """A process of `bench.clients`."""

    def __init__(self, name: str, threads: int, url: str) -> None:
        command = [sys.executable, "-m", "bench.clients", name, str(threads), url]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        if self._from.readline() != "ready\n":
            raise RuntimeError(f"{name} did not start; its error is above.")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()
        self._from.close()
        self._process.wait(20)

    def run(self, seconds: float, spent: list[float]) -> float:
        """Calls a second; the processor time of a call, in µs, is added to `spent`."""
        self._to.write(f"{seconds}\n")
        self._to.flush()
        calls, each = self._from.readline().split()
        spent.append(float(each))
        return float(calls)


def _tables(threads: int, rows: list[Row], spent: dict[str, list[float]], seconds: float) -> list[Table]:
    many = "1 thread" if threads == 1 else f"{threads} threads"
    how = (
        f"Each client in a process of its own, {many}, {seconds} s in each round, against one stub host in another "
        "process: an asyncio server that answers every POST with the same bytes. The text has 144 characters."
    )
    return [
        Table(
            f"Calls a second, {many}",
            how,
            "calls/s",
            True,
            [Row(row.name, row.values, NOTES.get(row.name, "")) for row in rows],
            "requests.Session",
            "miniapp at 0.9 or more of requests.Session, and ahead of every SDK.",
        ),
        Table(
            f"Processor time of a call, {many}",
            "The same runs: the processor time of the client's process, by the calls that it made.",
            "µs/call",
            False,
            [Row(name, values) for name, values in spent.items()],
            "requests.Session",
            "1.11 or less: 1 / 0.9.",
        ),
    ]
