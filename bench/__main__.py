"""Runs the benchmarks and writes what they gave into one page: `scripts/bench`, or `python -m bench`.

Every topic's result is kept as soon as it is there. The page shows all that are kept, so one topic can be measured
anew by its name, and a run that was interrupted goes on with --resume.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from importlib import import_module
from pathlib import Path

from . import machine, page
from .report import Table

ROOT = Path(__file__).parent.parent
TOPICS = (
    "pages",
    "login",
    "client",
    "outbox",
    "messages",
    "shim",
    "plugin",
    "crowd",
    "imports",
    "dev",
)
"""The modules of this package with a `measure(quick, progress)`, in the order of the page."""


class Line:
    """What is being done just now, on standard error: one line of a terminal, rewritten; else a line each."""

    def __init__(self) -> None:
        self._topic = ""
        self._terminal = sys.stderr.isatty()

    def start(self, topic: str) -> None:
        self._topic = topic

    def __call__(self, what: str) -> None:
        text = f"{self._topic}: {what}"
        print(f"\r\033[K{text}" if self._terminal else text, end="" if self._terminal else "\n", file=sys.stderr)

    def end(self) -> None:
        if self._terminal:
            print(file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures this project beside its peers.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"all by default: {', '.join(TOPICS)}")
    parser.add_argument("--quick", action="store_true", help="one short round: whether it runs, not what it gives")
    parser.add_argument("--resume", action="store_true", help="leave out the topics that have a result already")
    parser.add_argument("--out", type=Path, help="the page (docs/benchmarks.md; with --quick, only if it is given)")
    parser.add_argument("--keep", type=Path, help="the directory of the results (build/bench, build/bench-quick)")
    options = parser.parse_args()
    unknown = sorted(set(options.topics) - set(TOPICS))
    if unknown:
        parser.error(f"no such topic: {', '.join(unknown)}. There are {', '.join(TOPICS)}.")
    keep = options.keep or ROOT / "build" / ("bench-quick" if options.quick else "bench")
    keep.mkdir(parents=True, exist_ok=True)
    if not (options.topics or options.resume):
        for topic in TOPICS:
            (keep / f"{topic}.json").unlink(missing_ok=True)
    line = Line()
    for topic in options.topics or TOPICS:
        kept = keep / f"{topic}.json"
        if options.resume and kept.exists():
            continue
        line.start(topic)
        before, began = machine.describe(), time.monotonic()
        tables: list[Table] = import_module(f"bench.{topic}").measure(options.quick, line)
        line(f"done in {time.monotonic() - began:.0f} s")
        line.end()
        check(topic, tables)
        result = {"machine": before, "tables": [dataclasses.asdict(table) for table in tables]}
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(result, indent=1))
        part.replace(kept)  # never half a result
    out = options.out or (None if options.quick else ROOT / "docs" / "benchmarks.md")
    if out is not None:
        results = {topic: json.loads(kept.read_text()) for topic in TOPICS if (kept := keep / f"{topic}.json").exists()}
        out.write_text(page.render(results, quick=options.quick))
        print(out)


def check(topic: str, tables: list[Table]) -> None:
    """Raise `RuntimeError` unless every row of the topic has figures, and every reference is a row."""
    for table in tables:
        if table.reference not in [row.name for row in table.rows]:
            raise RuntimeError(f"{topic}: {table.title} has no row {table.reference}.")
        for row in table.rows:
            if not row.values or min(row.values) <= 0:
                raise RuntimeError(f"{topic}: {table.title} has no figure for {row.name}.")


if __name__ == "__main__":
    main()
