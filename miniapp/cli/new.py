"""`miniapp new`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import ScaffoldError
from ..project.new import QUESTIONS, create
from .output import say

Command = TypeVar("Command", bound=Callable[..., Any])


def _questions(command: Command) -> Command:
    for question in reversed(QUESTIONS):
        command = click.option(question.flag, question.key, help=question.prompt)(command)
    return command


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@_questions
@click.option("--defaults", is_flag=True, help="Ask nothing; take the defaults for what is not given.")
@click.option("--force", is_flag=True, help="Also into a directory that has files; those stay as they are.")
def new(directory: Path, defaults: bool, force: bool, **given: str | None) -> None:
    """Make a new mini app in DIRECTORY, from the starter."""
    answers = {}
    for question in QUESTIONS:
        answer = given[question.key]
        if answer is not None:
            answers[question.key] = question.check(answer)
        elif not defaults:
            answers[question.key] = click.prompt(
                question.prompt, default=question.default(directory), value_proc=_checked(question.check)
            )
    files = create(directory, answers, force=force)
    say(f"Made {len(files)} files in {directory}.")
    say("Next:")
    say(f"  cd {shlex.quote(str(directory))}")
    say("  miniapp dev        runs it in a local OneChat, with reload")
    say("  pytest             runs its tests")
    say("  miniapp register   registers it with OneChat, once it has its https URL")


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """`check` as a prompt wants it: who answers wrongly is told why and asked again."""

    def proc(text: str) -> str:
        try:
            return check(text)
        except ScaffoldError as error:
            raise click.UsageError(str(error)) from None

    return proc
