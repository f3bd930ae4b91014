"""`miniapp doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .output import can_show, say

MARKS = {"ok": "✓", "warn": "!", "error": "✗"}
PLAIN_MARKS = {"ok": "+", "warn": "!", "error": "x"}
COLOURS = {"ok": "green", "warn": "yellow", "error": "red"}


@click.command()
@click.option("--app", default="wsgi", show_default=True, help="The app, as Flask's --app.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_context
def doctor(ctx: click.Context, app: str, as_json: bool) -> None:
    """Look for what is wrong with the mini app of this directory: settings, network, cookies, framing, secrets.

    Exits with 1 if there is an error. App ID and API key are sent to OneChat alone.
    """
    from ..project.doctor import examine

    findings = examine(Path.cwd(), app)
    count = {level: sum(finding.level == level for finding in findings) for level in MARKS}
    if as_json:
        document = {"ok": not count["error"], "findings": [finding.as_dict() for finding in findings]}
        say(json.dumps(document, indent=2))
    else:
        marks = MARKS if can_show("".join(MARKS.values())) else PLAIN_MARKS
        for finding in findings:
            # click leaves the colours out where standard output is no terminal
            say(click.style(f"{marks[finding.level]} {finding.level:<5} ", COLOURS[finding.level]) + finding.what)
            if finding.fix:
                say(f"          {finding.fix}")
        say(f"{count['error']} error(s), {count['warn']} warning(s).")
    ctx.exit(1 if count["error"] else 0)
