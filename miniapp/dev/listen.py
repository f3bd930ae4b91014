"""Where the app and the sandbox listen: on loopback, at the port that was asked for or the next one that is free."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import Code, MiniAppError
from ..hosts import is_loopback

if TYPE_CHECKING:
    from ..sandbox.server import SandboxServer

KEEP_SECONDS = 0.5  # between two looks at whether the state's files are still there: a second run starts more slowly
PORTS_TRIED = 50  # more neighbours in use than that are no coincidence
LOOPBACK_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
"""The names under which browsers reach this machine's loopback, in Werkzeug's form."""


def check_host(host: str, *, forced: bool) -> None:
    """Refuse a `host` that other machines can reach, unless `forced`."""
    if not is_loopback(host) and not forced:
        raise MiniAppError(
            f"{host} can be reached from other machines, and the sandbox lets everyone be anyone.",
            hint="Leave --host out; or add --force-host if you are sure that only you can get there.",
            code=Code.HOST_NOT_LOOPBACK,
        )


def listen(host: str, port: int, say: Callable[[str], object] = lambda line: None) -> socket.socket:
    """Return a listening socket at `port` (0: any), or at the next free one; `say` is told if it is not `port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen(128)  # Werkzeug's own backlog
            if candidate != port:
                say(f"Port {port} is taken by another process, so this is on port {candidate}.")
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise MiniAppError(
                    f"Can't listen on {host} port {candidate}: {error.strerror}.",
                    hint="Choose another with --port or --sandbox-port.",
                    code=Code.PORT,
                ) from None
    raise MiniAppError(
        f"Ports {port} to {port + PORTS_TRIED - 1} are all taken.", hint="Choose another with --port.", code=Code.PORT
    )


def local_url(host: str, port: int) -> str:
    """Return how this machine itself reaches what listens on `host` and `port`."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - every address, this machine's own too
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def sandbox_server(
    database: Path | None, host: str, listener: socket.socket, *, force: bool, xmpp: str = "off"
) -> SandboxServer:
    """Return a sandbox that keeps its state in `database`, ready to answer on `listener`, which listens on `host`.

    `xmpp` is `auto`, `prosody`, `off` or the path of a file with the settings of an XMPP server.
    """
    from ..sandbox.config import SandboxConfig
    from ..sandbox.network.xmpp.server import read_settings
    from ..sandbox.server import SandboxServer

    named = () if is_loopback(host) or host in ("0.0.0.0", "::") else (host,)  # noqa: S104
    words: dict[str, Literal["auto", "prosody", "off"]] = {"auto": "auto", "prosody": "prosody", "off": "off"}
    config = SandboxConfig(
        database=database,
        trusted_hosts=named,
        xmpp=words[xmpp] if xmpp in words else read_settings(Path(xmpp)),
        xmpp_directory=database.parent / "xmpp" if database else None,
    )
    return SandboxServer(config, host=host, force=force, listener=listener)
