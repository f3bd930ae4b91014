"""The long form of `tests/e2e/outbox/test_load.py`. `scripts/soak load` runs it."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from soak import records
from support.faulthost import FaultHost
from support.load import GUNICORN, SETTINGS, Crowd, Kill, Sample, kill, moody, more_pages, reload, sample, until
from support.servers import Gunicorn, gunicorn_process

FAILING = 0.1
"""Share of the host's calls that fail."""
DRIFT_MAX = 0.05
"""Largest growth of the workers' memory, from the first part of the steady time to the last, as a share."""

SAMPLES = 5
"""Samples a second. Some of them miss what is held only for a moment."""
HELD = ("threads", "files", "sockets")
SLACK = 32
"""Number of each that may come and go: each of the 16 threads may hold a user's connection and one to the host."""


@dataclass
class Load:
    """Hold the results of a run. `first` and `last`: samples of the first and the last fifth of the steady time."""

    users: int
    seconds: int
    first: list[Sample] = field(default_factory=list)
    last: list[Sample] = field(default_factory=list)
    reloads: list[int] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    trouble: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    host_calls: int = 0
    host_failed: dict[str, int] = field(default_factory=dict)
    tracebacks: int = 0

    def mean(self, samples: list[Sample], what: str) -> float:
        return sum(getattr(each, what) for each in samples) / len(samples)

    @property
    def drift(self) -> float:
        """Return the growth of the workers' memory as a share."""
        return self.mean(self.last, "rss") / self.mean(self.first, "rss") - 1

    def grown(self) -> list[str]:
        """Return the resources that grew by more than what comes and goes: these leak."""
        return [
            what
            for what in HELD
            if min(getattr(each, what) for each in self.last) > min(getattr(each, what) for each in self.first) + SLACK
        ]

    def broken(self) -> list[str]:
        """Return the promises that were not kept."""
        found = [f"a logged-in user got {what}, {count} times" for what, count in self.trouble.items()]
        found += [f"{what} grow" for what in self.grown()]
        found += [f"memory grew by {self.drift:.1%}"] if self.drift > DRIFT_MAX else []
        found += [f"a reload lost {count} requests" for count in self.reloads if count]
        found += [f"a kill lost {kill.late} requests sent after it" for kill in self.kills if kill.late]
        found += [f"{self.tracebacks} tracebacks in the log"] if self.tracebacks else []
        beyond = self.lost - sum(self.reloads) - sum(kill.lost for kill in self.kills)
        return found + ([f"{beyond} requests were lost with no reload or kill"] if beyond else [])

    def record(self) -> dict[str, Any]:
        def span(samples: list[Sample], what: str) -> list[int]:
            return [min(getattr(each, what) for each in samples), max(getattr(each, what) for each in samples)]

        return {
            **{key: value for key, value in asdict(self).items() if key not in ("first", "last")},
            "reloads": {"count": len(self.reloads), "lost": sum(self.reloads)},
            "kills": {
                "count": len(self.kills),
                **{what: sum(getattr(kill, what) for kill in self.kills) for what in ("in_flight", "lost", "late")},
            },
            "rss_first": round(self.mean(self.first, "rss")),
            "rss_last": round(self.mean(self.last, "rss")),
            "spans": {
                what: [span(self.first, what), span(self.last, what)] for what in ("threads", "files", "sockets")
            },
            "broken": self.broken(),
        }


def load(users: int, seconds: int, think: float, reloads: int, kills: int) -> Load:
    """Run `users` users for so many steady seconds, then reload and kill; the host fails a tenth of its calls."""
    result = Load(users, seconds)
    failed: Counter[str] = Counter()
    with (
        FaultHost(moody(FAILING, failed)) as host,
        gunicorn_process(
            {**SETTINGS, "ONECHAT_API_URL": host.url}, "--config", str(GUNICORN), "--access-logfile", "/dev/null"
        ) as server,
    ):
        asyncio.run(_run(result, server, Crowd(server.url, users, think), reloads, kills))
        result.host_calls, result.host_failed = len(host.requests), dict(failed)
        result.tracebacks = sum("Traceback" in line for line in server.said)
    return result


async def _run(result: Load, server: Gunicorn, crowd: Crowd, reloads: int, kills: int) -> None:
    going = asyncio.create_task(crowd.run())
    await until(lambda: crowd.inside == crowd.users, "the last login")
    await more_pages(crowd, 5 * crowd.users)  # so that every thread is there and every page was made once
    samples = []
    for _ in range(result.seconds * SAMPLES):
        await asyncio.sleep(1 / SAMPLES)
        samples.append(sample(server.pid))
    fifth = max(1, len(samples) // 5)
    result.first, result.last = samples[:fifth], samples[-fifth:]
    for _ in range(reloads):
        result.reloads.append(await reload(crowd, server.pid))
    for _ in range(kills):
        result.kills.append(await kill(crowd, server.pid))
    crowd.over = True
    await going
    result.answers = {f"{what} {status}": count for (what, status), count in sorted(crowd.answers.items())}
    result.trouble, result.lost = crowd.trouble(), len(crowd.lost)


@click.command()
@click.option("--users", default=200, show_default=True)
@click.option("--minutes", default=5.0, show_default=True, help="Of steady load, before the reloads and kills.")
@click.option("--think", default=2.0, show_default=True, help="Seconds between two requests of a user.")
@click.option("--reloads", default=20, show_default=True)
@click.option("--kills", default=50, show_default=True)
def main(users: int, minutes: float, think: float, reloads: int, kills: int) -> None:
    """Let many users use the starter at once, beside a host that fails, and count their answers."""
    result = load(users, round(minutes * 60), think, reloads, kills)
    figures = result.record()
    records.write("load", **figures)
    for name, figure in figures.items():
        click.echo(f"{name:<12} {figure}")
    sys.exit("A promise was broken: see above." if result.broken() else 0)


if __name__ == "__main__":
    main()
