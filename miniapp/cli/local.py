"""The local OneChat: `dev`, `sandbox`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import Code, MiniAppError
from ..project.appfile import refuse_hiding, refuse_missing
from .output import say, sheet

if TYPE_CHECKING:
    from ..dev.supervisor import Running
    from ..sandbox import Sandbox

Command = TypeVar("Command", bound=Callable[..., Any])

APP_PORT = 5000
SANDBOX_PORT = 8700
PORT = click.IntRange(0, 65535)


def _local_options(command: Command) -> Command:
    for option in (
        click.option(
            "--xmpp",
            metavar="auto|prosody|off|FILE",
            default="auto",
            show_default=True,
            help="What carries messages: Prosody (auto: if it is installed), the XMPP server of FILE, or neither.",
        ),
        click.option("--force-host", is_flag=True, help="Allow a --host that other machines can reach."),
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
    ):
        command = option(command)
    return command


def _need_sandbox() -> None:
    """Fail with what to install if the sandbox's own dependencies are not there. They are found, not loaded."""
    for name in ("sqlalchemy", "cheroot", "watchdog"):
        if find_spec(name) is None:
            raise MiniAppError(
                f"The sandbox needs {name}, which is not installed.",
                hint="Install it: pip install 'onechat-miniapp[sandbox]'",
                code=Code.NO_SANDBOX,
            )


@click.command()
@click.option("--app", default="wsgi", show_default=True, help="The app, as Flask's --app: a module, or module:name.")
@click.option(
    "--port",
    type=PORT,
    metavar="PORT",
    default=APP_PORT,
    show_default=True,
    help="The app's port, or the next free one.",
)
@click.option(
    "--sandbox-port",
    type=PORT,
    metavar="PORT",
    default=SANDBOX_PORT,
    show_default=True,
    help="The sandbox's, or the next free one.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the phones in the browser.")
@click.option("--reload/--no-reload", default=True, help="Whether to follow changes of the files.")
@click.option(
    "--ignore",
    metavar="PATTERN",
    multiple=True,
    help="Don't follow changes of these files, 'static/qr/*' say. Can be given several times.",
)
@_local_options
def dev(
    app: str,
    port: int,
    sandbox_port: int,
    open_page: bool,
    reload: bool,
    ignore: tuple[str, ...],
    host: str,
    force_host: bool,
    xmpp: str,
) -> None:
    """Run the mini app of this directory inside a local OneChat.

    Starts a sandbox, registers the app in it, and runs the app with Flask's debugger. A change of Python or of .env
    starts the app again; any change reloads its pages in the phones. Whatever settings of a real OneChat there are,
    the app gets the sandbox's: nothing reaches a real OneChat. Ctrl-C stops everything.
    """
    _need_sandbox()
    if sys.platform == "win32":
        raise MiniAppError(
            "`miniapp dev` needs Linux, macOS or WSL.", hint="`miniapp sandbox` runs anywhere.", code=Code.OS
        )
    refuse_missing(Path.cwd(), app)
    refuse_hiding(Path.cwd())
    from ..dev.supervisor import DevOptions, Supervisor

    def running(at: Running) -> None:
        rows = [("Phones", at.host_page), ("Mini app", at.app), ("Admin portal", at.portal)]
        rows += _network_rows(at.sandbox, at.portal)
        rows += [("State", str(at.state)), ("Stop", "Ctrl-C")]
        sheet("OneChat sandbox", rows)
        if open_page:
            _open(at.host_page)

    options = DevOptions(
        app=app,
        host=host,
        port=port,
        sandbox_port=sandbox_port,
        force_host=force_host,
        reload=reload,
        xmpp=xmpp,
        ignore=ignore,
    )
    Supervisor(options, running=running, say=say).run()


@click.command()
@click.option(
    "--port", type=PORT, metavar="PORT", default=SANDBOX_PORT, show_default=True, help="The port, or the next free one."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep users, apps and messages in this directory. Without it they are gone when the sandbox stops.",
)
@click.option("--reset", is_flag=True, help="Empty what --data has kept, and seed it again.")
@_local_options
def sandbox(port: int, data: Path | None, reset: bool, host: str, force_host: bool, xmpp: str) -> None:
    """Run a local OneChat by itself, for apps that are started elsewhere."""
    _need_sandbox()
    from .. import contract
    from ..dev.listen import KEEP_SECONDS, check_host, listen, local_url, sandbox_server
    from ..dev.project import DATABASE, StateFolder
    from ..testing.controls import Controls

    if reset and data is None:
        raise click.UsageError("--reset is about what --data has kept: give both.")
    check_host(host, forced=force_host)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(StateFolder(data)) if data else None
        database = folder.path / DATABASE if folder else None
        listener = stack.enter_context(listen(host, port, say))
        server = stack.enter_context(sandbox_server(database, host, listener, force=force_host, xmpp=xmpp))
        url = local_url(host, server.port)
        if reset:
            Controls(url, server.token).call("POST", "/_sandbox/reset")
        rows = [
            ("Phones", server.page_url + "/"),
            ("Admin portal", server.page_url + "/portal"),
            ("ONECHAT_API_URL", url + contract.API_PATH),
            ("ONECHAT_CONTAINER_ORIGINS", server.page_url),
            ("ONECHAT_DOMAIN", server.sandbox.domain),
            ("X-Sandbox-Token", server.token),
            *_network_rows(server.sandbox, server.page_url + "/portal"),
            ("State", str(data) if data else "in memory"),
            ("Stop", "Ctrl-C"),
        ]
        sheet("OneChat sandbox", rows)
        while not stop.wait(KEEP_SECONDS):  # in steps: on some systems a signal does not interrupt an endless wait
            if folder and folder.keep():
                say(f"{folder.path} was removed: made again, with what the sandbox had.")
            server.sandbox.restore()


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(command: tuple[str, ...]) -> None:
    """Run COMMAND with the settings that the app has under `miniapp dev`: miniapp exec -- flask db upgrade

    The API key alone is made up, so what COMMAND asks of OneChat is refused.
    """
    from ..dev.listen import local_url
    from ..dev.project import FOLDER, Project

    project = Project(Path.cwd(), Path.cwd() / FOLDER, "wsgi")
    settings = project.environment(local_url("127.0.0.1", SANDBOX_PORT), f"http://localhost:{APP_PORT}/")
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, **settings, "PATH": beside}
    program = shutil.which(command[0], path=beside)
    if program is None:
        raise MiniAppError(
            f"There is no command {command[0]}.",
            hint="Install it into the environment that has miniapp, or give its path.",
            code=Code.NO_COMMAND,
        )
    sys.stdout.flush()
    if sys.platform == "win32":
        sys.exit(subprocess.run([program, *command[1:]], env=environment, check=False).returncode)
    os.execve(program, list(command), environment)  # noqa: S606 - the command is the user's own


def _network_rows(sandbox: Sandbox, portal: str) -> list[tuple[str, str]]:
    rows = [("Network", sandbox.carried_by)]
    if relay := sandbox.network.relay:
        rows += [*relay.server.addresses, ("XMPP passwords", f"{portal}/users (Chat password)")]
    return rows


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        print("No browser could be opened; the address is above.", file=sys.stderr)
