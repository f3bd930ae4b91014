"""Logging in.

A login costs one call to the host, however many requests bring the same session ID at the same time: one of them asks,
and the others wait for its answer, which then serves for five seconds. So the host sees as many calls as there are
users, and a page that asks for 200 things at once is one call where the naive way makes 200. Later requests make none
for the lifetime of the login.

The time to an answer is the host's own time and the queue before gunicorn's threads: 200 requests that each wait 20 ms
for the host take a quarter of a second with 16 threads. Only more threads would shorten it. While the host is well a
login takes any thread that is free; calls beyond the first four at a time have two seconds instead of fifteen, so that
a host that hangs does not keep the threads. To let them wait for a place instead, as it was before, made 200 users
take 2.3 times the naive way's time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from statistics import median, quantiles
from urllib.parse import urlsplit
from urllib.request import urlopen

from . import pageapps
from .processes import gunicorn, host
from .report import Progress, Row, Table

DELAY = 0.02
"""Seconds that the host takes for an answer: it asks a database of its own."""
THREADS = "16"
MANY = 200

Request = Callable[[str, str], bytes]
"""From the server's address and a session ID to the bytes that are sent."""


def ours(address: str, session_id: str) -> bytes:
    body = json.dumps({"jid": f"{session_id[:8]}@onechat.net", "sessionId": session_id})
    head = [
        "POST /miniapp/session HTTP/1.1",
        f"Host: {address}",
        f"Origin: http://{address}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def naive(address: str, session_id: str) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: {address}\r\nCookie: session_id={session_id}\r\n\r\n".encode()


def measure(quick: bool, progress: Progress) -> list[Table]:
    rounds = 1 if quick else 5
    calls: dict[str, list[float]] = {}
    p50: dict[str, list[float]] = {}
    p99: dict[str, list[float]] = {}
    fresh = (f"{number:08x}{'0' * 32}" for number in count(1))
    with ExitStack() as stack:
        stub = stack.enter_context(host(str(DELAY)))
        servers = {}
        for name, make, request in (("miniapp", pageapps.ours, ours), ("naive", pageapps.naive, naive)):
            environment = {"BENCH_HOST": f"{stub.url}/onechat/api"}
            app = f"bench.pageapps:{make.__name__}()"
            server = stack.enter_context(gunicorn(app, environment, "--workers", "1", "--threads", THREADS))
            servers[name] = urlsplit(server.url).netloc, request
        for number in range(rounds):
            for kind, sessions in (("users", _each(fresh)), ("requests of one user", _same(fresh))):
                for name, (address, request) in servers.items():
                    row = f"{name}, {MANY} {kind}"
                    progress(f"{row}, round {number + 1} of {rounds}")
                    before = _count(stub.url)
                    times = asyncio.run(herd(address, [request(address, session) for session in sessions()]))
                    calls.setdefault(row, []).append(_count(stub.url) - before)
                    p50.setdefault(row, []).append(median(times) * 1000)
                    p99.setdefault(row, []).append(quantiles(times, n=100)[98] * 1000)
    how = (
        f"{MANY} connections are opened, then each sends its request at the same moment: with a session ID for each "
        f"user, or with the same one in all. gunicorn, 1 worker of {THREADS} threads; the host takes "
        f"{DELAY * 1000:.0f} ms. miniapp: the session endpoint, once in a login's lifetime; naive: every request for a "
        "page."
    )
    figures = {
        "Calls to the host": ("calls", calls, "As many as there are users."),
        "Time to the answer, p50": ("ms", p50, "-"),
        "Time to the answer, p99": ("ms", p99, "Beside p50: nobody is left behind."),
    }
    return [
        Table(title, how, metric, False, [Row(*row) for row in rows.items()], f"naive, {MANY} users", target)
        for title, (metric, rows, target) in figures.items()
    ]


def _each(fresh: Iterator[str]) -> Callable[[], list[str]]:
    return lambda: [next(fresh) for _ in range(MANY)]


def _same(fresh: Iterator[str]) -> Callable[[], list[str]]:
    return lambda: [next(fresh)] * MANY


async def herd(address: str, requests: list[bytes]) -> list[float]:
    """Seconds to each answer, of requests that all leave at once."""
    machine, port = address.split(":")
    open_ones = [await asyncio.open_connection(machine, int(port)) for _ in requests]
    began = time.perf_counter()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> float:
        writer.write(request)
        status = await reader.readline()
        taken = time.perf_counter() - began
        assert status.split()[1] in (b"200", b"204"), status
        writer.close()
        return taken

    pairs = zip(open_ones, requests, strict=True)
    return await asyncio.gather(*(one(reader, writer, request) for (reader, writer), request in pairs))


def _count(url: str) -> int:
    with urlopen(f"{url}/count") as answer:  # noqa: S310 # the stub host
        return int(answer.read())
