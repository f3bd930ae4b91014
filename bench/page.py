"""docs/benchmarks.md, from the results of the topics."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from . import machine
from .report import Row, Table

HEAD = """\
# Benchmarks

With this page you can compare what this project costs with what its users would pick instead. `scripts/bench` sets
everything up, measures, and writes this page, in about half an hour. `scripts/bench TOPIC` measures one topic again,
`--resume` goes on with a run that was interrupted.

In each round every subject is measured once, in an order that rotates. *Median* and *spread* (the least and the
greatest) are over the rounds. *Ratio*, to the row in italics, is the median of the ratios within each round, since what
else goes on in a machine moves a whole round.
"""
QUICK = "\nThis is a quick run, which shows that everything runs. Its figures mean nothing.\n"


def render(results: Mapping[str, Mapping[str, Any]], *, quick: bool) -> str:
    """The page. `results`: by topic, the machine and the tables as `__main__` keeps them."""
    parts = [HEAD + (QUICK if quick else ""), _machines(results)]
    for topic, result in results.items():
        title, _, text = (inspect.getdoc(import_module(f"bench.{topic}")) or topic).partition("\n")
        parts.append(f"## {title.rstrip('.')}\n\n{text.strip()}".rstrip() + "\n")
        parts += [_table(Table.from_dict(table)) for table in result["tables"]]
    return "\n".join(parts)


def _machines(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The machine, when each topic was measured, and the versions."""
    seen = [result["machine"] for result in results.values()]
    hardware = sorted({f"{m['cores']} cores ({m['processor']}), {m['memory']}, Linux {m['kernel']}" for m in seen})
    lines = ["## Machine and versions", "", *(f"{one}." for one in hardware), "", "| topic | measured | load before |"]
    lines += [
        "|---|---|---|",
        *(f"| {t} | {r['machine']['at']} | {r['machine']['load']} |" for t, r in results.items()),
    ]
    found = ", ".join(f"{name} {number}" for name, number in machine.versions().items())
    return "\n".join([*lines, "", _wrapped(f"{found}."), ""])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def _table(table: Table) -> str:
    better = "more is better" if table.higher_is_better else "less is better"
    lines = [
        f"### {table.title}",
        "",
        _wrapped(table.how),
        "",
        f"| {table.metric}, {better} | median | spread | ratio | |",
    ]
    lines += ["|---|---:|---:|---:|---|", *(_row(table, row) for row in table.rows)]
    return "\n".join([*lines, "", f"To reach: {table.target}", ""])


def _row(table: Table, row: Row) -> str:
    name = f"*{row.name}*" if row.name == table.reference else row.name
    spread = f"{figure(min(row.values))} to {figure(max(row.values))}" if len(row.values) > 1 else ""
    return f"| {name} | {figure(row.median)} | {spread} | {table.ratio(row):.2f} | {row.note} |"


def figure(value: float) -> str:
    """Three digits that count, or all before the point: what rounds of this kind can tell."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"
