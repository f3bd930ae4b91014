"""Bulk sends.

A message goes through three transactions (leased, sending, its outcome), each shared with others: a turn of the
worker records outcomes and marks the next items, in one commit, whether it moves 4 messages or 40. The worker marks
items 30 ms before a thread is free. Without this prefetch the outbox reaches 0.89 of the loop on SQLite and 0.73 on
Postgres, with a host that takes 10 ms.

Against a host that answers at once, the rows themselves show in full: three updates with their indexes, in the same
interpreter as the sender threads. No user has such a host, so nothing is tuned for it. Two workers with half the
threads each are ahead of the loop in one process.

Celery keeps one message of its own format for each task and takes it apart again; it has no record of what was sent.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count as numbers
from pathlib import Path

from support.postgres import Postgres

from .processes import ROOT, cpu, host, running
from .report import Progress, Row, Table, interleaved

LIMIT, SQLITE, POSTGRES, CELERY = "loop over the client", "outbox, SQLite", "outbox, Postgres", "Celery on Redis"
PAIR = "outbox, Postgres, two workers"
SLOWNESS = 0.01
"""Seconds that the slower host takes: a call within one region of the internet takes this and more."""
NOTES = {
    PAIR: "each with half of the threads",
    LIMIT: "the limit; loses what was left when it ends",
    CELERY: "late acknowledgement is off, as by default: a worker that is killed loses what it had",
}

Way = tuple[str, Callable[[], str]]
"""A kind of `bench.bulk`, and what gives the database of the next run."""
Ways = dict[str, Way]


def measure(quick: bool, progress: Progress) -> list[Table]:
    few, many, rounds = (200, 400, 1) if quick else (10_000, 100_000, 3)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-outbox-")))
        quickest, slower = stack.enter_context(host()), stack.enter_context(host(str(SLOWNESS)))
        progress("starting Postgres")
        postgres = stack.enter_context(_postgres())
        files = numbers()
        ways: Ways = {
            LIMIT: ("loop", lambda: ""),
            SQLITE: ("outbox", lambda: f"sqlite:///{folder}/{next(files)}.db"),
            POSTGRES: ("outbox", lambda: postgres),
            PAIR: ("pair", lambda: postgres),
        }
        tables = _against(ways, slower.url, few // 4, rounds, progress, f"a host that takes {SLOWNESS * 1000:.0f} ms")
        celery = stack.enter_context(_celery(folder, quickest.url))
        ways[CELERY] = ("celery", lambda: "")
        tables += _against(ways, quickest.url, few, rounds, progress, "a host that answers at once", celery)
        tables += _growth(ways, quickest.url, (few, many), rounds, progress)
    return tables


class Sent:
    """What one bulk came to: messages a second, processor time of a message in µs, the most memory in MiB."""

    def __init__(self, way: Way, count: int, url: str, others: Callable[[], float]) -> None:
        kind, database = way
        before = others()
        command = [sys.executable, "-m", "bench.bulk", kind, str(count), url, database()]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        seconds, spent, self.memory = map(float, done.stdout.split())
        self.pace = count / seconds
        self.cost = (spent + others() - before) / count * 1e6


Runs = dict[str, list[Sent]]


def _sent(
    bulks: Mapping[str, tuple[Way, int]],
    url: str,
    rounds: int,
    progress: Progress,
    celery: Callable[[], float] = float,
) -> Runs:
    """Sends each of `bulks`, a way and a count, once in each round."""
    runs: Runs = {name: [] for name in bulks}

    def one(name: str) -> float:
        sent = Sent(*bulks[name], url, celery if name == CELERY else float)
        runs[name].append(sent)
        return sent.pace

    interleaved({name: lambda name=name: one(name) for name in bulks}, rounds, progress)  # type: ignore[misc]
    return runs


def _rows(runs: Runs, what: str, notes: Mapping[str, str] | None = None) -> list[Row]:
    return [
        Row(name, [getattr(sent, what) for sent in sents], (notes or {}).get(name, "")) for name, sents in runs.items()
    ]


def _against(
    ways: Ways, url: str, count: int, rounds: int, progress: Progress, whom: str, celery: Callable[[], float] = float
) -> list[Table]:
    runs = _sent({name: (way, count) for name, way in ways.items()}, url, rounds, progress, celery)
    how = (
        f"{count:,} messages, 8 at a time, to {whom}; from the call that accepts them to the last answer. "
        "Each in a new process, and a new file for SQLite, whose tables are there."
    )
    return [
        Table(
            f"Messages a second, to {whom}",
            how,
            "messages/s",
            True,
            _rows(runs, "pace", NOTES),
            LIMIT,
            "The outbox at 0.9 or more of the loop with the host that takes 10 ms.",
        ),
        Table(
            f"Processor time of a message, to {whom}",
            "The same runs: the processor time of the process that sends; of Celery's also its worker's and Redis's. "
            "Postgres's own is not in it.",
            "µs/message",
            False,
            _rows(runs, "cost"),
            LIMIT,
            "no target: the pace counts.",
        ),
    ]


def _growth(ways: Ways, url: str, sizes: tuple[int, int], rounds: int, progress: Progress) -> list[Table]:
    few, many = sizes
    bulks = {f"{way}, {size:,}": (ways[way], size) for way in (SQLITE, POSTGRES) for size in sizes}
    runs = _sent(bulks, url, rounds, progress)
    how = f"One bulk of {few:,} and one of {many:,} messages on each, to the host that answers at once."
    titles = {
        "Processor time as bulks grow": ("µs/message", "cost", "The same at both sizes."),
        "Memory as bulks grow": ("MiB", "memory", "The same at both sizes, but for SQLite's and Python's own caches."),
    }
    return [
        Table(
            title,
            how,
            metric,
            False,
            _rows(runs, what),
            f"{SQLITE}, {few:,}",
            target,
        )
        for title, (metric, what, target) in titles.items()
    ]


@contextmanager
def _postgres() -> Iterator[str]:
    with Postgres() as server:
        yield server.url


@contextmanager
def _celery(folder: Path, url: str) -> Iterator[Callable[[], float]]:
    """Redis and one worker of Celery, with threads; gives the processor time that they have had."""
    socket = folder / "redis"
    os.environ.update(BENCH_REDIS=f"redis+socket://{socket}", BENCH_HOST=url)
    server = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    worker = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "bench.celeryapp",
        "worker",
        "--pool",
        "threads",
        "--concurrency",
        "8",
    ]
    with running(server, said="eady to accept connections") as redis, running(worker, said="ready") as tasks:
        yield lambda: cpu(redis.process.pid) + cpu(tasks.process.pid)
