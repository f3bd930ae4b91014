"""The long form of `tests/e2e/outbox/test_outbox_kills.py`: kills the senders of bulks too. `scripts/soak` runs it."""

from __future__ import annotations

import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import requests

from miniapp.outbox import Outbox
from soak import records
from soak.app import SIZE, wait_for_room
from support.clocks import SystemClock
from support.countinghost import Stub
from support.crashes import CONCURRENCY, Report, Workers, crash_test, jump, points, report, settings
from support.paths import ROOT, TESTS
from support.postgres import Postgres
from support.waiting import until

WORKERS = 3
STOPS = 0.1  # of the kills: each outlasts a lease, and on SQLite all wait for one that is suspended while it writes


class Processes(Workers):
    """Run the workers, and a script and a web app that accept bulks until there are `bulks` of each."""

    bulks = 0

    def start(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.kinds: dict[str, int] = {"worker": 0, "script": 0, "web": 0, "suspended worker": 0}
        self.web = self.spawn("-m", "soak.app", "web", log="web.log")
        self.script = self.enqueue()
        self.poster = threading.Thread(target=self.post)
        self.pid = 0
        self.poster.start()

    def spawn(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            environment = {**self.environment(), "PYTHONPATH": f"{ROOT}:{TESTS}"}
            return subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=environment, stdout=output, stderr=output
            )

    def accepted(self, source: str) -> int:
        return sum((progress.key or "").startswith(source) for progress in self.outbox.list(10_000))

    def enqueue(self) -> subprocess.Popen[bytes]:
        # Repeat the last bulk: a script that was killed does not know whether it was accepted.
        first = max(0, self.accepted("script") - 1)
        return self.spawn("-m", "soak.app", str(first), str(self.bulks), log="script.log")

    def post(self) -> None:
        """Ask the web app for one bulk after the other. Repeat each request until it succeeds."""
        found = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", (self.folder / "web.log").read_text()))
        for number in range(self.bulks):
            wait_for_room(self.outbox)
            post = partial(requests.post, f"{found[0]}/send/{number}", timeout=30)
            answer = until(post, math.inf, ignore=requests.RequestException)
            self.pid = int(answer.text)

    def kill_any(self) -> None:
        """Kill one of the workers, the script, or gunicorn's worker; or suspend a worker."""
        if self.script.poll():  # it failed: Postgres may have been down
            self.script = self.enqueue()
        kind = random.choice(["worker"] * WORKERS + ["script", "web"])
        if random.random() < STOPS:
            kind = "suspended worker"
            self.suspend()
        elif kind == "worker":
            self.kill()
        elif kind == "script" and self.script.poll() is None:
            self.script.kill()
            self.script.wait()
            self.script = self.enqueue()
        elif kind == "web" and self.is_web(self.pid):
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        else:
            kind = "worker"
            self.kill()
        self.kinds[kind] += 1

    def is_web(self, pid: int) -> bool:
        """Return whether `pid` is still a child of our gunicorn."""
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] == str(self.web.pid)
        return False

    def end(self) -> None:
        """Wait until every bulk is accepted, and no worker is suspended."""
        self.poster.join()
        while self.script.wait() or self.accepted("script") < self.bulks:
            self.script = self.enqueue()
        self.resume_all()

    def __exit__(self, *_: object) -> None:
        for process in (self.script, self.web):
            process.terminate()
            process.wait(30)
        super().__exit__()


def total(rows: list[Report], policy: str, kills: int) -> Report:
    chosen = [row for row in rows if row.policy == policy]
    figures = {
        name: sum(getattr(row, name) for row in chosen)
        for name in ("messages", "sent", "unknown", "maybe", "lost", "duplicates")
    }
    return Report(policy=policy, kills=kills, **figures)


def soak(kind: str, kills: int, jumps: int, messages: int, rate: float) -> bool:
    """Run one soak and print its table. Return whether the promises were kept."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        host = stack.enter_context(Stub(slowness=0.02))
        clock = stack.enter_context(SystemClock())
        database = stack.enter_context(Postgres(clock.environment)) if kind == "postgres" else None
        chosen = settings(database.url if database else f"sqlite:///{folder}/outbox.db", host, rate)
        outbox = Outbox(chosen)
        start = time.monotonic()
        cuts = max(1, kills // 100) if database else 0
        # SQLite's clock is that of the processes which use it.
        with Processes(chosen, WORKERS, folder, None if database else clock) as processes:
            processes.bulks = messages // SIZE // 2
            expected = processes.bulks * 2 * SIZE
            processes.start(outbox)
            blows = [(at, processes.kill_any) for at in points(kills, expected)]
            blows += [(at, lambda: jump(clock)) for at in points(jumps, expected)]
            if database:

                def power_cut() -> None:
                    database.kill()
                    database.start()

                blows += [(at, power_cut) for at in points(cuts, expected)]
            crash_test(outbox, [], host, blows, limit=24 * 3600.0)
            processes.end()
            bulks = [progress.id for progress in outbox.list(10_000)]
            crash_test(outbox, bulks, host, [], limit=600.0)
        rows = [report(outbox, bulk, host, 0) for bulk in bulks]
        outbox.stop()
    # A power cut ends what every worker has on its way, as a kill does for one.
    hold, resend = (total(rows, policy, kills + cuts * WORKERS) for policy in ("hold", "resend"))
    seconds = round(time.monotonic() - start)
    victims = ", ".join(f"{count} {name}" for name, count in processes.kinds.items())
    click.echo(
        f"\n{kind}: {kills} kills and stops ({victims}), {jumps} clock jumps, {cuts} database kills, {seconds} s"
    )
    click.echo("\n".join((Report.head(), str(hold), str(resend))))
    records.write(
        f"outbox-{kind}",
        kills=kills,
        victims=processes.kinds,
        jumps=jumps,
        cuts=cuts,
        seconds=seconds,
        policies={row.policy: asdict(row) for row in (hold, resend)},
    )
    whole = hold.messages + resend.messages == expected and len(bulks) == processes.bulks * 2
    return (
        whole
        and not (hold.lost or resend.lost or hold.duplicates or resend.unknown)
        and resend.duplicates <= resend.kills * CONCURRENCY
    )


@click.command()
@click.option("--kills", default=1000, show_default=True, help="Kills, of which one in ten suspends a worker instead.")
@click.option("--jumps", default=50, show_default=True, help="Jumps of the clock, by up to a day, back or ahead.")
@click.option("--messages", default=100_000, show_default=True)
@click.option("--rate", default=400.0, show_default=True, help="Messages a second.")
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), multiple=True, default=["sqlite", "postgres"])
def main(kills: int, jumps: int, messages: int, rate: float, database: tuple[str, ...]) -> None:
    """Kill what takes part in bulk sends, suspend workers, set the clock; count what became of the messages."""
    kept = [soak(kind, kills, jumps, messages, rate) for kind in database]
    sys.exit(0 if all(kept) else "A promise was broken: see above.")


if __name__ == "__main__":
    main()
