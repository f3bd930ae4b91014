"""One bulk, sent in a process of its own, whose memory is nothing else's.

`python -m bench.bulk KIND COUNT URL [DATABASE]` sends COUNT messages through the stub host at URL, and prints the
seconds, the processor time in seconds and the most memory in MiB that it took. KIND is `loop`, `outbox`, `pair` (two
workers with half the threads each) or `celery`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING
from urllib.request import urlopen

from .clients import KEY, TEXT, miniapp

if TYPE_CHECKING:
    from miniapp.outbox import Outbox

THREADS = 8
"""Messages on their way at a time: the outbox's default."""


def recipients(count: int) -> Iterator[str]:
    return (f"{6_580_000_000 + number}@onechat.net" for number in range(count))


def loop(count: int, url: str, database: str) -> Callable[[], None]:
    """The limit: threads over the client. What it forgets when it is killed, nobody knows."""
    client, left, lock = miniapp(url), recipients(count), Lock()

    def run() -> None:
        while True:
            with lock:
                jid = next(left, None)
            if jid is None:
                return
            client.send_message(jid, TEXT)

    def send() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(run) for _ in range(THREADS)]:
                done.result()

    return send


def outbox(count: int, url: str, database: str) -> Callable[[], None]:
    """Accepts the bulk, then sends it as `miniapp worker` does."""
    service = opened(url, database, THREADS)

    def send() -> None:
        bulk = service.send(recipients(count), TEXT)
        service.work(Event(), drain=True)
        assert service.progress(bulk.id).sent == count

    return send


def pair(count: int, url: str, database: str) -> Callable[[], None]:
    """The same with a second worker, in a process of its own, and as many threads in both."""
    service = opened(url, database, THREADS // 2)
    command = [sys.executable, "-m", "bench.bulk", "worker", url, database]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    other.stdout.readline()  # it has its database open

    def send() -> None:
        bulk = service.send(recipients(count), TEXT)
        with other:
            assert other.stdin is not None
            other.stdin.close()  # now
            service.work(Event(), drain=True)
        assert service.progress(bulk.id).sent == count

    return send


def worker(url: str, database: str) -> None:
    """The second one of `pair`: begins when its standard input ends."""
    service = opened(url, database, THREADS // 2)
    print(flush=True)
    sys.stdin.read()
    service.work(Event(), drain=True)


def opened(url: str, database: str, threads: int) -> Outbox:
    """An outbox whose tables are there: an app makes them once in its life."""
    from miniapp.outbox import Outbox
    from miniapp.settings import Secret, Settings

    settings = Settings(
        api_url=url,
        app_id="app-0123456789",
        api_key=Secret(KEY),
        outbox_url=Secret(database),
        outbox_rate=0,
        outbox_concurrency=threads,
        outbox_worker="process",
    )
    service = Outbox(settings)
    _ = service.database
    return service


def celery(count: int, url: str, database: str) -> Callable[[], None]:
    """Enqueues one task for each message, and waits until the host has had them all from Celery's worker."""
    from .celeryapp import send as task

    def send() -> None:
        wanted = counted(url) + count
        for jid in recipients(count):
            task.delay(jid)
        while counted(url) < wanted:
            time.sleep(0.02)  # little beside the whole, and the host has other things to do

    return send


def counted(url: str) -> int:
    with urlopen(f"{url}/count") as answer:  # noqa: S310 # the stub host
        return int(answer.read())


KINDS: dict[str, Callable[[int, str, str], Callable[[], None]]] = {
    "loop": loop,
    "outbox": outbox,
    "pair": pair,
    "celery": celery,
}


def main(kind: str, count: str, url: str, database: str = "") -> None:
    send = KINDS[kind](int(count), url, database)
    began, spent = time.perf_counter(), processor_time()
    send()
    most = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert most is not None
    print(time.perf_counter() - began, processor_time() - spent, int(most[1]) / 1024)


def processor_time() -> float:
    """Seconds that this process has had, and those of its children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    worker(*sys.argv[2:]) if sys.argv[1] == "worker" else main(*sys.argv[1:])
