"""Messages to real clients.

A call of the sandbox's REST API ends once its message is in the store; from there a queue brings it to Prosody, in
batches that grow with the load, each confirmed by one round trip. Under load the queue and the calls share one
processor, which is the limit: what a message costs there is mostly HTTP (Flask and cheroot) and changes of threads.
Four things held the rate below a tenth of what it is: Werkzeug's server, which closes each connection; SQLAlchemy,
which takes ten times as long for a message as SQLite's own interface does, so the statements of every message are
written out; a thread pool that gave a connection to another thread after each request, where now a thread stays with
it for some milliseconds; and a Prosody that waited for the disk at every message.

At a steady pace, what is late is late for one of three things. Prosody's memory is collected in small steps, or 20
messages in a row would wait. SQLite brings its write-ahead log into the database every 1,000 pages; one message then
waits for the disk. The rest is the machine: sender, receiver and servers share two cores. What a call of the sandbox
costs was compared in up to 11 interleaved rounds of 4,000 calls. With the ORM's transactions around the statements
that are written out, a call takes 1.26 times the processor time; with SQLAlchemy's inserts 2.0 times, and with the
ORM's objects 2.8 times. Nothing else brought a tenth: a thread that brings the log into the database, a longer log,
pages of 1 KiB, and leaving out of Python's collections what was there at the start.

A broadcast costs Prosody the same for each user, most of it the archive. In the sandbox one statement puts it into
everybody's history, and whom it reached is read page by page.

Prosody's own HTTP API, mod_rest, is in no package of Debian's, so it can't be measured here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import requests

from support.xmpp.ejabberd import CONFIG, Ejabberd

from .processes import cpu
from .report import Progress, Row, Table
from .sandboxhost import DOMAIN, FIRST, LAST

PASSWORD = "of-the-benchmark"  # noqa: S105 (of an account that is gone when this ends)
CONNECTIONS = 8
RATE = 300  # messages a second, which every subject bears
OURS, EJABBERD = "this sandbox, on Prosody", "ejabberd, mod_http_api"


@dataclass(frozen=True)
class Subject:
    """An HTTP API that sends messages to the user `jid`, who logs in with `password` at `c2s`."""

    port: int
    path: str
    headers: dict[str, str]
    body: dict[str, str]
    field: str
    jid: str
    password: str
    c2s: int


@dataclass(frozen=True)
class Result:
    rate: float
    seconds: list[float]


class PeerEjabberd(Ejabberd):
    """The ejabberd of the tests, with its HTTP API, and accounts of its own."""

    config = (
        CONFIG.replace("{{/ws:", "{{/api: mod_http_api, /ws:")
        .replace("auth_method: [external]", "auth_method: [sql]\nauth_password_format: plain")
        .replace('extauth_program: "{extauth}"\nextauth_pool_size: 2\n', "")
        + "  mod_admin_extra: {{}}\n"
        + "api_permissions:\n  bench: {{who: {{ip: 127.0.0.1/8}}, what: [send_message, register]}}\n"
    )
    flags = ()  # as it is by default


def measure(quick: bool, progress: Progress) -> list[Table]:
    rounds, many = (1, 200) if quick else (7, 5000)
    paced: dict[str, list[Result]] = {OURS: [], EJABBERD: []}
    at_once: dict[str, list[Result]] = {OURS: [], EJABBERD: []}
    with ExitStack() as stack:
        progress("starting")
        subjects = {OURS: stack.enter_context(sandbox()), EJABBERD: stack.enter_context(ejabberd())}
        for subject in subjects.values():
            run(subject, 100, 0)  # each has met the user, and has its database open
        # A steady pace first: after 5,000 at once, servers are busy with what is left of them for some seconds.
        for results, count, rate in ((paced, max(many // 2, 100), RATE), (at_once, many, 0)):
            for number in range(rounds):
                for name in list(subjects)[:: -1 if number % 2 else 1]:
                    progress(f"{name}, {f'{rate} a second' if rate else 'at once'}, round {number + 1} of {rounds}")
                    results[name].append(run(subjects[name], count, rate))
    sizes = (100, 300) if quick else (1_000, 10_000, 100_000)
    return [
        Table(
            "REST to an XMPP client",
            f"Alerts to one user, {many} in each round over {CONNECTIONS} connections, as many as go, until the last "
            "one is with slixmpp, the client. Both servers keep archives in SQLite.",
            "messages/s",
            True,
            [Row(name, [one.rate for one in results]) for name, results in at_once.items()],
            EJABBERD,
            "ahead of ejabberd's mod_http_api and of Prosody's mod_rest",
        ),
        *(
            Table(
                f"Time under way at {RATE} a second, {name}",
                "The same at a steady pace, from before the call to when the client has the message.",
                "ms",
                False,
                [Row(one, [1000 * at(result.seconds) for result in results]) for one, results in paced.items()],
                EJABBERD,
                "less than a person notices: 100 ms",
            )
            for name, at in (("p50", median), ("p99", lambda seconds: quantiles(seconds, n=100)[98]))
        ),
        *broadcasts(sizes, progress),
        *kinds(100 if quick else 2000, 1 if quick else 3, progress),
    ]


def run(subject: Subject, count: int, rate: int) -> Result:
    """`count` messages, `rate` a second or, if that is 0, as many as go."""
    receiver = subprocess.Popen(
        [sys.executable, "-m", "bench.receiver", subject.jid, str(subject.c2s), str(count)],
        env={**os.environ, "RECEIVER_PASSWORD": subject.password},
        stdout=subprocess.PIPE,
        text=True,
    )
    with receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "here\n"
        job = {**vars(subject), "count": count, "connections": CONNECTIONS, "rate": rate}
        sender = [sys.executable, "-m", "bench.sender"]
        sent = subprocess.run(sender, input=json.dumps(job), capture_output=True, text=True)
        if sent.returncode:
            receiver.kill()
            raise RuntimeError(sent.stderr)
        got = json.loads(receiver.stdout.readline())
    return Result(count / (got["last"] - float(sent.stdout)), got["seconds"])


@contextmanager
def host(users: int) -> Iterator[tuple[dict[str, Any], int]]:
    """A sandbox with so many users: what `bench.sandboxhost` says of it, and its process ID."""
    command = [sys.executable, "-m", "bench.sandboxhost", str(users)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


@contextmanager
def sandbox() -> Iterator[Subject]:
    with host(2) as (said, _):
        yield Subject(
            port=said["port"],
            path="/onechat/api/singleMessage",
            headers={"apikey": said["key"], "Content-Type": "application/json"},
            body={"jid": said[FIRST]["jid"]},
            field="message",
            c2s=said["c2s"],
            **said[FIRST],
        )


@contextmanager
def ejabberd() -> Iterator[Subject]:
    server = PeerEjabberd(DOMAIN).start()
    try:
        account = {"user": FIRST, "host": DOMAIN, "password": PASSWORD}
        requests.post(f"http://127.0.0.1:{server.http}/api/register", json=account, timeout=20).raise_for_status()
        yield Subject(
            port=server.http,
            path="/api/send_message",
            headers={"Content-Type": "application/json"},
            body={"type": "chat", "from": f"alerts.{DOMAIN}", "to": f"{FIRST}@{DOMAIN}", "subject": ""},
            field="body",
            jid=f"{FIRST}@{DOMAIN}",
            password=PASSWORD,
            c2s=server.c2s,
        )
    finally:
        server.stop()


def broadcasts(sizes: tuple[int, ...], progress: Progress) -> list[Table]:
    """One broadcast to each size of a crowd."""
    found = {}
    for size in sizes:
        progress(f"broadcast to {size:,}")
        found[f"{size:,} users"] = broadcast(size)
    how = "One call of massBroadcast, in a sandbox on Prosody; two of the users are online, the first and the last."
    reference = next(iter(found))

    def table(title: str, metric: str, key: Callable[[dict[str, float]], float], target: str) -> Table:
        rows = [Row(name, [key(figures)]) for name, figures in found.items()]
        return Table(title, how, metric, False, rows, reference, target)

    return [
        table("Broadcast: until the first user has it", "s", lambda one: one["first"], "within a second"),
        table("Broadcast: for each user, until the last one has it", "ms", lambda one: one["each"], "linear"),
        table("Broadcast: processor time of Prosody for each user", "ms", lambda one: one["cpu"], "linear"),
        table(
            "Broadcast: memory that it adds to the sandbox, at its greatest", "MiB", lambda one: one["memory"], "flat"
        ),
    ]


def broadcast(users: int) -> dict[str, float]:
    with host(users) as (said, pid), ExitStack() as stack:
        clients = []
        for name in (FIRST, LAST):
            arguments = [said[name]["jid"], str(said["c2s"]), "1"]
            client = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bench.receiver", *arguments],
                    env={**os.environ, "RECEIVER_PASSWORD": said[name]["password"]},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            assert client.stdout is not None
            assert client.stdout.readline() == "here\n"
            clients.append(client.stdout)
        spent = cpu(said["prosody"])
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # its greatest memory is counted anew
        before = peak(pid)
        body = {"domain": said["domain"], "message": f"{time.monotonic()} to everybody"}
        url = f"http://127.0.0.1:{said['port']}/onechat/api/massBroadcast"
        requests.post(url, json=body, headers={"apikey": said["key"]}, timeout=300).raise_for_status()
        first, last = (json.loads(client.readline())["seconds"][0] for client in clients)
        return {
            "first": first,
            "each": 1000 * last / users,
            "cpu": 1000 * (cpu(said["prosody"]) - spent) / users,
            "memory": peak(pid) - before,
        }


def peak(pid: int) -> float:
    """The most memory that the process has had, in MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def kinds(count: int, rounds: int, progress: Progress) -> list[Table]:
    """One message of each kind, what it costs: docs/scale.md reckons from these."""
    found: list[dict[str, dict[str, float]]] = []
    for number in range(rounds):
        progress(f"messages of each kind, round {number + 1} of {rounds}")
        command = [sys.executable, "-m", "bench.kinds", str(count)]
        found.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
    how = (
        f"{count:,} of each kind, and three broadcasts, from one thread, straight to the sandbox's network: until the "
        "queue is empty. Prosody keeps its archives in SQLite."
    )
    reference = next(iter(found[0]))

    def table(title: str, metric: str, key: str, higher_is_better: bool, target: str) -> Table:
        rows = [Row(kind, [one[kind][key] for one in found]) for kind in found[0]]
        return Table(title, how, metric, higher_is_better, rows, reference, target)

    return [
        table("Messages accepted a second, by kind", "messages/s", "accepted", True, "none set"),
        table("Messages delivered a second, by kind", "messages/s", "delivered", True, "none set"),
        table("Processor time of Prosody for one delivered", "ms", "prosody", False, "none set"),
        table("Processor time of the sandbox for one delivered", "ms", "sandbox", False, "none set"),
    ]
