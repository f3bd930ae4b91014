"""The command line: `miniapp …`, and the same as `flask miniapp …`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | the command line is wrong |
| 3 | the settings are wrong |
| 4 | OneChat could not be reached, or answered nonsense: what was asked may have been done or not |
| 5 | OneChat refused |
| 6 | `worker --drain` ended with messages left to send |
| 130 | interrupted |
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import IO, Any

import click

from .. import __version__
from ..errors import Code, ConfigurationError, HostError, HostRefused, MiniAppError
from .output import replace_what_cannot_be_shown

FAILED, CONFIGURATION, UNREACHABLE, REFUSED, LEFT, INTERRUPTED = 1, 3, 4, 5, 6, 130


class CommandFailure(click.ClickException):
    """A `MiniAppError` as click shows errors: what happened, what to do, and the exit code for its kind."""

    def __init__(self, error: MiniAppError) -> None:
        super().__init__(error.message)
        self.hint = error.hint
        self.exit_code = _code(error)  # type: ignore[misc]  # click declares it for the class, but reads it here

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error and its hint to standard error."""
        click.echo(f"Error: {self.message}", err=True)
        if self.hint:
            click.echo(self.hint, err=True)


def _code(error: MiniAppError) -> int:
    match error:
        case ConfigurationError():
            return CONFIGURATION
        case HostRefused():
            return REFUSED
        case HostError():
            return UNREACHABLE
    return FAILED


# A command's module is imported when the command is: each needs other libraries, and none all of them.
_MODULES = {
    "new": ".new",
    "dev": ".local",
    "exec": ".local",
    "sandbox": ".local",
    "register": ".host",
    "send": ".host",
    "send-group": ".host",
    "broadcast": ".host",
    "outbox": ".outbox",
    "worker": ".outbox",
    "docs": ".docs",
    "doctor": ".check",
    "ocwp": ".ocwp",
}


def _attribute(command: str) -> str:
    return {"exec": "exec_"}.get(command, command.replace("-", "_"))


class Commands(click.Group):
    """A group whose commands may raise `MiniAppError`; also where Flask's own command line runs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that has this name, or return None."""
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(_MODULES[cmd_name], __name__), _attribute(cmd_name))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn errors of the package into text and an exit code."""
        replace_what_cannot_be_shown()
        try:
            return super().invoke(ctx)
        except MiniAppError as error:
            raise CommandFailure(error) from None
        except click.Abort as error:
            if isinstance(error.__context__, EOFError):
                raise click.UsageError(
                    "Standard input ended before all questions were answered. Give the answers as options."
                ) from None
            raise
        except OSError as error:
            found = _of_system(error)
            if found is None:
                raise
            raise CommandFailure(found) from None


def _of_system(error: OSError) -> MiniAppError | None:
    """Make the error for a file or folder that can't be used, None if `error` is about something else."""
    if isinstance(error.filename, str):
        return MiniAppError(
            f"{error.filename} can't be used: {error.strerror}.",
            hint="Check the path, whether this user may write there (ls -ld), and whether its disk has room (df).",
            code=Code.FILE,
        )
    if isinstance(error, FileNotFoundError):  # os.getcwd(), which names no file
        return MiniAppError("The working directory was removed or moved.", hint="Go to another: cd", code=Code.FILE)
    return None


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 1 failed, 2 usage, 3 settings, 4 OneChat unreachable, 5 OneChat refused,"
    " 6 messages are left, 130 interrupted.",
)
@click.version_option(__version__, prog_name="onechat-miniapp")
def cli() -> None:
    """Make, run and register OneChat mini apps.

    `miniapp dev` runs the mini app of this directory inside a local OneChat.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(args, prog_name="miniapp", standalone_mode=False)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)
