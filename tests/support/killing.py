"""Workers of the outbox as real processes, killed and suspended at random, and what came of the messages."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from miniapp.outbox import Outbox
from miniapp.outbox.worker import LEASE_MARGIN
from miniapp.settings import Secret, Settings
from support.calls import APP_ID, KEY
from support.clocks import SystemClock
from support.countinghost import Stub
from support.ledgers import DAY, check_invariants

CONCURRENCY = 8
CALL_SECONDS = 2.0  # a deadline that a busy machine keeps, and short: a lease outlives it by five seconds
SUSPENDED = (
    CALL_SECONDS + LEASE_MARGIN + 0.5,
    CALL_SECONDS + LEASE_MARGIN + 4.0,
)
"""Seconds, past the lease and a sweep."""
PATIENCE = 60.0  # seconds without any progress that mean that there will be none


def settings(url: str, host: Stub, rate: float) -> Settings:
    return Settings(
        api_url=host.url,
        app_id=APP_ID,
        api_key=Secret(KEY),
        deadline=CALL_SECONDS,
        connect_timeout=CALL_SECONDS,
        outbox_url=Secret(url),
        outbox_rate=rate,
        outbox_concurrency=CONCURRENCY,
        outbox_worker="process",
    )


@dataclass
class Herd:
    """`miniapp worker`, several times, in an empty directory. One that is killed or suspended is replaced at once.

    With a `clock`, that is the system clock of all of them.
    """

    settings: Settings
    count: int
    folder: Path
    clock: SystemClock | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    suspended: dict[int, threading.Timer] = field(default_factory=dict)
    """By process ID: what lets it go on."""
    late: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Those that were suspended once."""

    def __enter__(self) -> Self:
        self.processes = [self.launch() for _ in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        for timer in list(self.suspended.values()):
            timer.cancel()
        for process in self.processes:
            process.terminate()
            process.send_signal(signal.SIGCONT)
        for process in self.processes:
            process.wait(30)

    def environment(self) -> dict[str, str]:
        """The settings, for a process that has nothing else."""
        names = ("api_url", "app_id", "api_key", "deadline", "connect_timeout")
        names += ("outbox_url", "outbox_rate", "outbox_concurrency", "outbox_worker")
        values = {f"ONECHAT_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        return {"PATH": os.environ["PATH"], **values, **(self.clock.environment if self.clock else {})}

    def launch(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "workers.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "miniapp", "worker"],
                cwd=self.folder,
                env=self.environment(),
                stdout=log,
                stderr=log,
            )

    def at_work(self) -> list[subprocess.Popen[bytes]]:
        """Those that are neither suspended nor dead."""
        return [process for process in self.processes if process.pid not in self.suspended and process.poll() is None]

    def replace(self) -> None:
        """Starts as many as lack, say because they started while Postgres was away."""
        self.processes = [process for process in self.processes if process.poll() is None]
        self.processes += [self.launch() for _ in range(self.count - len(self.at_work()))]

    def kill(self) -> None:
        """Kills one of them, whatever it is doing."""
        self.replace()
        victim = random.choice(self.at_work())
        victim.kill()
        victim.wait()
        self.replace()

    def suspend(self) -> None:
        """Suspends one of them, whatever it is doing, until its leases are over and others took its items."""
        self.replace()
        victim = random.choice(self.at_work())

        def go_on() -> None:
            victim.send_signal(signal.SIGCONT)
            del self.suspended[victim.pid]

        timer = self.suspended[victim.pid] = threading.Timer(random.uniform(*SUSPENDED), go_on)
        self.late.append(victim)
        victim.send_signal(signal.SIGSTOP)
        timer.start()
        self.replace()

    def all_go_on(self) -> None:
        """Waits until none is suspended, and those that were have given back what they held."""
        for timer in list(self.suspended.values()):
            timer.join()
        for process in self.late:
            process.terminate()
        for process in self.late:
            process.wait(30)
        self.replace()


@dataclass
class Report:
    """What came of the messages of one bulk. `lost`: sent by the ledger's word but never accepted by the host, or
    forgotten: at no end. `maybe`: unknown, and accepted by the host.
    """

    policy: str
    kills: int
    messages: int
    sent: int
    unknown: int
    maybe: int
    lost: int
    duplicates: int

    ROW = "{:<8} {:>6} {:>9} {:>9} {:>8} {:>8} {:>6} {:>10}"

    @classmethod
    def head(cls) -> str:
        return cls.ROW.format("policy", "kills", "messages", "sent", "unknown", "arrived", "lost", "duplicates")

    def __str__(self) -> str:
        return self.ROW.format(
            self.policy, self.kills, self.messages, self.sent, self.unknown, self.maybe, self.lost, self.duplicates
        )


def report(outbox: Outbox, bulk: int, host: Stub, kills: int) -> Report:
    progress = outbox.progress(bulk)
    accepted = {item.jid: host.accepted[item.jid] for item in outbox.items(bulk)}
    sent = {item.jid for item in outbox.items(bulk, "sent")}
    unknown = {item.jid for item in outbox.items(bulk, "unknown")}
    return Report(
        policy=progress.policy,
        kills=kills,
        messages=progress.total,
        sent=len(sent),
        unknown=len(unknown),
        maybe=sum(accepted[jid] > 0 for jid in unknown),
        lost=sum(not accepted[jid] for jid in sent) + progress.total - len(sent) - len(unknown),
        duplicates=sum(count - 1 for count in accepted.values() if count > 1),
    )


def torment(
    outbox: Outbox, bulks: list[int], host: Stub, kills: list[tuple[int, Callable[[], None]]], limit: float
) -> None:
    """Waits for the end of `bulks`; each of `kills` is done once the host has so many calls.

    The ledger's invariants are checked after each, and at the end. Raises `TimeoutError` if nothing goes on for a
    minute, or it is not over after `limit` seconds.
    """
    ends = time.monotonic() + limit
    for calls, kill in sorted(kills, key=lambda entry: entry[0]):
        if not host.wait(calls, min(PATIENCE, ends - time.monotonic())):
            raise TimeoutError(f"The host has {len(host.calls)} calls and gets no more; {calls} were awaited.")
        kill()
        check_invariants(outbox)
    for bulk in bulks:
        for progress in outbox.watch(bulk, ends - time.monotonic()):
            last = progress
        if last.state != "done":
            raise TimeoutError(f"Not done in {limit:g} s: {last}")
        check_invariants(outbox)


def points(kills: int, messages: int) -> list[int]:
    """Random numbers of calls at which to kill. None at the very end, where a message that is tried again may lack."""
    return sorted(random.sample(range(1, messages - messages // 20), kills))


def jump(clock: SystemClock) -> None:
    """Sets the clock ahead or back by up to a day, and by ten seconds at least: more than a lease."""
    clock.jump(random.choice((-1, 1)) * random.randint(10, round(DAY)))
