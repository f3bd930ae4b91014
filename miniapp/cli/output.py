"""Text for people: in colour and tables where standard output is a terminal, plain where it is not."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import click


def replace_what_cannot_be_shown() -> None:
    """Write `?` for characters that standard output's encoding lacks, as cp1252 lacks most."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def can_show(text: str) -> bool:
    """Return whether standard output's encoding has every character of `text`."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def say(line: str) -> None:
    """One line, at once, so that a reader at the other end of a pipe sees it too."""
    click.echo(line)
    sys.stdout.flush()


def sheet(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print a heading with pairs of name and value below it."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(Text(name, "dim"), Text(value, "bold" if value.startswith("http") else ""))
        Console().print(Panel(table, title=title, title_align="left", border_style="cyan", expand=False))
        return
    width = max(len(name) for name, _ in rows)
    say(title)
    for name, value in rows:
        say(f"  {name:<{width}}  {value}")
