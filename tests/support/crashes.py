"""Worker processes of the outbox that are killed and suspended at random, and what became of the messages."""

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
CALL_SECONDS = 2.0  # short, as a lease outlives it by five seconds, but enough on a busy machine
SUSPENDED = (
    CALL_SECONDS + LEASE_MARGIN + 0.5,
    CALL_SECONDS + LEASE_MARGIN + 4.0,
)
"""Bounds (s) of a suspension: longer than the lease and a sweep."""
PATIENCE = 60.0  # seconds without progress after which a run has failed

Blow = tuple[int, Callable[[], None]]
"""A number of calls at the host, and the failure that then happens."""


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
class Workers:
    """Run `miniapp worker` several times, in an empty directory. Replace those that are killed or suspended.

    `clock` is the system clock of all of them.
    """

    settings: Settings
    count: int
    folder: Path
    clock: SystemClock | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    suspended: dict[int, threading.Timer] = field(default_factory=dict)
    """The timer that resumes each suspended process, by process ID."""
    once_suspended: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The processes that were suspended once."""

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
        """Return the settings as the whole environment of a process."""
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

    def running(self) -> list[subprocess.Popen[bytes]]:
        """Return the processes that are neither suspended nor dead."""
        return [process for process in self.processes if process.pid not in self.suspended and process.poll() is None]

    def replace(self) -> None:
        """Start the processes that are missing. Some may have failed to start while Postgres was down."""
        self.processes = [process for process in self.processes if process.poll() is None]
        self.processes += [self.launch() for _ in range(self.count - len(self.running()))]

    def kill(self) -> None:
        """Kill a random worker."""
        self.replace()
        victim = random.choice(self.running())
        victim.kill()
        victim.wait()
        self.replace()

    def suspend(self) -> None:
        """Suspend a random worker until its leases have expired and other workers have taken its items."""
        self.replace()
        victim = random.choice(self.running())

        def resume() -> None:
            victim.send_signal(signal.SIGCONT)
            del self.suspended[victim.pid]

        timer = self.suspended[victim.pid] = threading.Timer(random.uniform(*SUSPENDED), resume)
        self.once_suspended.append(victim)
        victim.send_signal(signal.SIGSTOP)
        timer.start()
        self.replace()

    def resume_all(self) -> None:
        """Wait until no worker is suspended, and those that were have given back their items."""
        for timer in list(self.suspended.values()):
            timer.join()
        for process in self.once_suspended:
            process.terminate()
        for process in self.once_suspended:
            process.wait(30)
        self.replace()


@dataclass
class Report:
    """Count what became of the messages of one bulk.

    `lost`: `sent` in the ledger but never accepted by the host, or without a final state. `maybe`: unknown, and
    accepted by the host.
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


def crash_test(outbox: Outbox, bulks: list[int], host: Stub, blows: list[Blow], limit: float) -> None:
    """Wait for the end of `bulks`. Strike each of `blows` once the host has had its number of calls.

    Checks the ledger's invariants after each blow and at the end. Raises `TimeoutError` after a minute without
    progress, or after `limit` seconds.
    """
    ends = time.monotonic() + limit
    for calls, strike in sorted(blows, key=lambda blow: blow[0]):
        if not host.wait(calls, min(PATIENCE, ends - time.monotonic())):
            raise TimeoutError(f"The host has {len(host.calls)} calls and gets no more; {calls} were awaited.")
        strike()
        check_invariants(outbox)
    for bulk in bulks:
        for progress in outbox.watch(bulk, ends - time.monotonic()):
            last = progress
        if last.state != "done":
            raise TimeoutError(f"Not done in {limit:g} s: {last}")
        check_invariants(outbox)


def points(kills: int, messages: int) -> list[int]:
    """Return random numbers of calls at which to strike.

    None is at the very end: while a message waits for its next attempt, those calls may not come.
    """
    return sorted(random.sample(range(1, messages - messages // 20), kills))


def jump(clock: SystemClock) -> None:
    """Move the clock by up to a day, ahead or back, and by at least ten seconds: more than a lease."""
    clock.jump(random.choice((-1, 1)) * random.randint(10, round(DAY)))
