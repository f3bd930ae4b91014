"""Bulk sends: `outbox list|show|retry|pause|resume|cancel|open`, and `worker`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import Code, ConfigurationError, MiniAppError, Problem
from ..settings import Settings
from . import LEFT
from .output import say, sheet

if TYPE_CHECKING:
    from flask import Flask

    from ..outbox import Outbox, Progress
    from ..outbox.delays import Delay

Command = TypeVar("Command", bound=Callable[..., Any])

BULK = click.argument("bulk", type=int)


def _flask_app() -> Flask | None:
    """Return the app, if this runs under `flask miniapp`."""
    from flask.cli import ScriptInfo

    info = click.get_current_context().find_object(ScriptInfo)
    return None if info is None else info.load_app()


def _open(*, sending: bool = False) -> Outbox:
    """Return the outbox of the app under `flask miniapp`, else the one that the environment or `.env` names."""
    from .host import ENV_FILE

    state = getattr(_flask_app(), "extensions", {}).get("miniapp")
    settings: Settings = state.settings if state else Settings.read({}, ENV_FILE, demand_app=sending)
    if not settings.outbox_url:
        fix = "Set it to sqlite:///outbox.db, say: the same for the app and for the worker."
        raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", "is not set.", fix)])
    try:
        from ..outbox import Outbox
    except ModuleNotFoundError as error:
        raise MiniAppError(
            f"The outbox needs {error.name}, which is not installed.",
            hint="Install it: pip install 'onechat-miniapp[outbox]'",
            code=Code.NO_OUTBOX,
        ) from None
    return Outbox(
        replace(settings, outbox_worker="process")
    )  # a command ends soon: it is no place for the app's thread


def _as_json(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")(command)


def _dump(document: object) -> None:
    say(json.dumps(document, indent=2))


def _when(at: float | None) -> str:
    from ..outbox.delays import when

    return "" if at is None else when(at)


@click.group()
def outbox() -> None:
    """Look after bulk sends. The ledger is the one that ONECHAT_OUTBOX_URL names."""


@outbox.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
@_as_json
def list_(limit: int, as_json: bool) -> None:
    """List the latest bulks, and why nothing goes out, where that is so."""
    ledger = _open()
    found = ledger.list(limit)
    if as_json:
        _dump([progress.as_dict() for progress in found])
        return
    for progress in found:
        say(f"{progress.id:>6}  {progress.state:<9}  {_counts(progress)}  {progress.key or ''}".rstrip())
    if not found:
        say("No bulks.")
    for reason in _reasons(found, ledger.closed()):
        say(reason)


@outbox.command()
@BULK
@click.option("--wait", is_flag=True, help="Show the progress until the bulk is at its end.")
@click.option(
    "--items",
    type=click.Choice(["queued", "leased", "sending", "sent", "refused", "unknown"]),
    multiple=True,
    help="List the recipients in this state too. Can be given several times.",
)
@_as_json
def show(bulk: int, wait: bool, items: tuple[str, ...], as_json: bool) -> None:
    """Show how far BULK is."""
    found = _open()
    progress = _watch(found, bulk, bar=not as_json) if wait else found.progress(bulk)
    if as_json:
        listed = [
            {"jid": item.jid, "state": item.state, "attempts": item.attempts, "answer": item.answer}
            for item in (found.items(bulk, *items) if items else ())
        ]
        _dump({**progress.as_dict(), **({"items": listed} if items else {})})
        return
    rows = [("State", progress.state + (f": {progress.note}" if progress.note else "")), ("Items", _counts(progress))]
    rows += [("Waits", "" if progress.delay is None else progress.delay.text)]
    rows += [("Policy", progress.policy), ("Key", progress.key or ""), ("Owner", progress.owner)]
    rows += [("Accepted", _when(progress.created_at)), ("Done", _when(progress.done_at))]
    sheet(f"Bulk {bulk}", [(name, value) for name, value in rows if value])
    for item in found.items(bulk, *items) if items else ():
        say(f"{item.state:<8}  {item.jid}  {item.answer}".rstrip())


@outbox.command()
@BULK
@click.option("--refused", is_flag=True, help="Those that OneChat refused.")
@click.option("--unknown", is_flag=True, help="Those of which nobody knows: they may arrive twice.")
@click.option("--broadcasts", is_flag=True, help="Those to whole domains too, which are never repeated otherwise.")
def retry(bulk: int, refused: bool, unknown: bool, broadcasts: bool) -> None:
    """Send BULK's items again that failed."""
    states = [name for name, chosen in (("refused", refused), ("unknown", unknown)) if chosen]
    if not states:
        raise click.UsageError("Say which ones: --refused, --unknown or both.")
    count = _open().retry(bulk, *states, broadcasts=broadcasts)
    say(f"{count} message(s) of bulk {bulk} are queued again.")


@outbox.command()
@BULK
def pause(bulk: int) -> None:
    """Stop BULK from sending more, until it is resumed."""
    _open().pause(bulk)
    say(f"Bulk {bulk} is paused.")


@outbox.command()
@BULK
def resume(bulk: int) -> None:
    """Let a paused BULK go on."""
    _open().resume(bulk)
    say(f"Bulk {bulk} goes on.")


@outbox.command()
@BULK
def cancel(bulk: int) -> None:
    """Stop BULK for good. What was sent stays sent."""
    _open().cancel(bulk)
    say(f"Bulk {bulk} is cancelled.")


@outbox.command("open")
def open_() -> None:
    """Send at once, although OneChat asked to wait or could not be reached."""
    delay = _open().open()
    if delay is None:
        say("The gate is open: neither did OneChat ask to wait, nor was it unreachable.")
    elif delay.reason == "host_busy":
        say(f"The gate is open: messages go out now. OneChat had asked to wait until {_when(delay.until)}.")
    else:
        say("One call tries OneChat now. If it is answered, the other messages follow.")


@click.command()
@click.option("--drain", is_flag=True, help="End once nothing can be sent now; exit code 6 if messages are left.")
@click.pass_context
def worker(context: click.Context, drain: bool) -> None:
    """Send what the outbox holds, until Ctrl-C or SIGTERM; what is on its way ends first.

    Any number of these can run at a time: on one machine with SQLite, on many with Postgres.
    """
    found = _open(sending=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    found.database  # noqa: B018 # now, so that what is wrong with it is said before "Sending"
    say("Sending. Ctrl-C ends it.")
    found.work(stop, drain=drain)
    if drain and (left := found.left()):
        why = _reasons(left) or ["The worker was told to stop." if stop.is_set() else "Other workers hold them."]
        count = sum(progress.waiting for progress in left)
        click.echo(f"{count} message(s) of {len(left)} bulk(s) are left to send. {' '.join(why)}", err=True)
        context.exit(LEFT)


def _reasons(found: Iterable[Progress], closed: Delay | None = None) -> list[str]:
    """Return why the bulks wait, each reason once: `closed`, which is every bulk's, and those that are a bulk's own."""
    reasons: dict[str, str] = {} if closed is None else {closed.reason: closed.text}
    for delay in (progress.delay for progress in found):
        if delay is not None:
            shared = delay.reason not in ("paused", "retry")
            reasons.setdefault(delay.reason if shared else delay.text, delay.text)
    return list(reasons.values())


def _counts(progress: Progress) -> str:
    parts = [f"{progress.sent}/{progress.total} sent"]
    parts += [
        f"{count} {name}"
        for name, count in (("waiting", progress.waiting), ("refused", progress.refused), ("unknown", progress.unknown))
        if count
    ]
    return ", ".join(parts)


def _watch(found: Outbox, bulk: int, *, bar: bool) -> Progress:
    """Wait for the end of the bulk, with a bar at a terminal. Say why nothing goes out, each time that it is news."""
    progress, told = found.progress(bulk), None
    if not (bar and sys.stdout.isatty()):
        for progress in found.watch(bulk):
            if progress.delay and progress.delay.is_news(told):
                told = progress.delay
                click.echo(told.text, err=True)
        return progress
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    with Bars(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bars:
        task = bars.add_task(f"Bulk {bulk}", total=progress.total)
        for progress in found.watch(bulk):
            ended = progress.total - progress.waiting
            bars.update(task, completed=ended, description=f"Bulk {bulk}: {_counts(progress)}")
            if progress.delay and progress.delay.is_news(told):
                told = progress.delay
                bars.console.print(told.text, markup=False, highlight=False)
    return progress
