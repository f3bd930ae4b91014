"""One Prosody: started, watched, restarted if it ends by itself, stopped with this process."""

from __future__ import annotations

import json
import logging
import os
import re
import selectors
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from ...errors import Code, MiniAppError
from ..network.xmpp.accounts import Accounts, Authority, person_shape
from ..network.xmpp.server import ServerSettings
from ..store.records import User
from .config import ARCHIVE, DATA, PORTS, put, usable_directory, write
from .temporary import TemporaryDirectory

START_SECONDS = 15.0  # it takes 0.2 s; a machine that is busy with tests has been seen to take 3
STOP_SECONDS = 5.0  # for its own clean-up; then it is killed
TELL_SECONDS = 5.0  # for a change of people, which it answers within milliseconds
RESTART_PAUSE = 0.5  # seconds; a Prosody that ends at once every time leaves most of a processor free
PORT_TRIES = 3  # a port that was free a moment ago can be taken by somebody else, but hardly three times

log = logging.getLogger("miniapp.sandbox.prosody")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where Prosody listens on 127.0.0.1; 0 is any free port."""

    c2s: int = 0
    http: int = 0
    component: int = 0


def missing() -> str | None:
    """Return what Prosody needs and this machine has not, with how to get it; None if all is there."""
    if shutil.which("prosody") is None:
        return "Prosody is not installed (Debian, Ubuntu: apt install prosody lua-dbi-sqlite3; macOS: brew)"
    return None


class Prosody:
    """Prosody for `accounts` on 127.0.0.1, from `start()` to `stop()` or within `with`.

    `directory` keeps archives, groups and ports; without one they are gone at the end. `ports` that are 0 are chosen at
    the first start and kept from then on. If it ends by itself, it is started again.
    """

    is_own = True

    def __init__(self, accounts: Accounts, *, directory: Path | None = None, ports: Ports | None = None) -> None:
        self.accounts = accounts
        self.domain = accounts.domain
        self.ports = self._asked = ports or Ports()
        self.component_secret = token_urlsafe(24)
        self._authority = Authority(accounts)
        self._wanted = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._temporary: TemporaryDirectory | None = None

    @property
    def settings(self) -> ServerSettings:
        """How to reach it, once it is started."""
        return ServerSettings(
            domain=self.domain,
            component_port=self.ports.component,
            component_secret=self.component_secret,
            c2s_port=self.ports.c2s,
            c2s_tls="none",
            websocket=self.websocket_url,
            bosh=self.bosh_url,
        )

    @property
    def websocket_url(self) -> str:
        """Where clients in browsers connect (RFC 7395)."""
        return f"ws://127.0.0.1:{self.ports.http}/xmpp-websocket"

    @property
    def bosh_url(self) -> str:
        """Where clients connect that have no WebSocket (XEP-0124)."""
        return f"http://127.0.0.1:{self.ports.http}/http-bind"

    @property
    def pid(self) -> int:
        """The process ID of the running server."""
        assert self._process is not None, "Prosody has not been started"
        return self._process.pid

    def start(self) -> Self:
        """Return once everything listens. Raises `MiniAppError` if it can't be started."""
        if reason := missing():
            raise MiniAppError(f"{reason}.", hint="Or leave XMPP out: --xmpp off.", code=Code.NO_PROSODY)
        self._stopping.clear()
        self._authority.start()
        try:
            self._directory, self._temporary, self._user = usable_directory(self._wanted)
            self._start_somewhere()
        except OSError as error:
            self.stop()
            raise _no_files(error) from None
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="prosody", daemon=True)
        self._watcher.start()
        return self

    def stop(self) -> None:
        """Return once it has ended."""
        self._stopping.set()
        with self._lock:
            self._end()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        if self._process is not None:
            self._close_pipes(self._process)
            self._process = None
        self._authority.stop()
        if self._temporary is not None:
            self._temporary.remove()
            self._temporary = None

    def renew(self, empty: Callable[[], None]) -> None:
        """Stop, have `empty` empty the store, and start again without archives, rooms and uploads."""
        self.stop()
        try:
            empty()
            with suppress(FileNotFoundError):  # a temporary directory is gone already
                shutil.rmtree(self._directory / DATA)
        except OSError as error:
            raise _no_files(error) from None
        finally:
            self.start()

    @property
    def is_lost(self) -> bool:
        """Tell whether the files it runs from were removed."""
        return self._process is not None and not (self._directory / ARCHIVE).exists()

    def tell(self, *, changed: Iterable[User] = (), removed: Iterable[str] = ()) -> None:
        """Tell of users who are new or were changed, and of the JIDs of those who were removed.

        While Prosody is down there is nothing to do: it asks for everybody when it starts.
        """
        news = {
            "changed": {person.jid.partition("@")[0]: person_shape(person) for person in changed},
            "removed": [jid.partition("@")[0] for jid in removed],
        }
        request = Request(
            f"http://127.0.0.1:{self.ports.http}/onechat_people",
            json.dumps(news).encode(),
            {"Authorization": f"Bearer {self._authority.secret}", "Host": self.domain},
        )
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=TELL_SECONDS):
                pass
        except (URLError, OSError) as error:
            log.warning("Prosody could not be told of a change of users: %s", error)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_somewhere(self) -> None:
        wanted = self.ports = _first(self.ports, read_ports(self._directory / PORTS))
        for attempt in range(PORT_TRIES):
            self.ports = _chosen(self.ports)
            taken = self._launch()
            if not taken:
                break
            self._end()
            self._close_pipes(self._process)
            if attempt == PORT_TRIES - 1 or any(port in _numbers(self._asked) for port in taken):
                raise MiniAppError(
                    f"Prosody can't listen on 127.0.0.1 port {', '.join(map(str, taken))}: something else does.",
                    hint="Stop that, or leave the port out: then a free one is taken.",
                    code=Code.PORT,
                )
            self.ports = Ports(*(0 if port in taken else port for port in _numbers(self.ports)))
        for before, now in zip(_numbers(wanted), _numbers(self.ports), strict=True):
            if before not in (0, now):
                log.warning("Port %s is taken by another process, so Prosody listens on port %s.", before, now)
        if self._wanted:
            put(self._directory / PORTS, json.dumps(asdict(self.ports)), self._user)

    def _launch(self) -> list[int]:
        """Start the process and wait until it answers; the ports of ours that it could not have."""
        config = write(
            self._directory,
            self._user,
            {
                "domain": self.domain,
                "c2s_port": self.ports.c2s,
                "http_port": self.ports.http,
                "component_port": self.ports.component,
                "component_secret": self.component_secret,
                "authority": self._authority.url,
                "secret": self._authority.secret,
            },
        )
        with self._lock:
            if self._stopping.is_set():
                return []
            who: dict[str, Any] = {}
            if self._user is not None:
                who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
            self._process = subprocess.Popen(
                ["prosody", "--config", str(config), "-F"],
                stdin=subprocess.PIPE,  # held open: its end tells Prosody that this process has ended
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                pass_fds=() if self._temporary is None else (self._temporary.lock,),
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._directory), "LANG": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C in the terminal is for us, and we stop it
                **who,
            )
        listening = self._wait(self._process)
        return [port for port in _numbers(self.ports) if port not in listening]

    def _wait(self, process: subprocess.Popen[bytes]) -> set[int]:
        """Return the ports that Prosody says it listens on, once it does. It says so by mod_onechat_parent."""
        assert process.stdout is not None
        said, until = b"", time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                if not selector.select(left):
                    break
                piece = os.read(process.stdout.fileno(), 65536)
                said += piece
                if found := re.search(rb'^\{"ports":.*\}$', said, re.MULTILINE):
                    return set(json.loads(found[0])["ports"])
                if not piece:
                    break
        raise MiniAppError(
            f"Prosody did not start: {self._reason(said)}",
            hint="Its whole log is in prosody.log; --xmpp off does without it.",
            code=Code.PROSODY,
        )

    def _reason(self, said: bytes) -> str:
        """Return the last error of Prosody's log, else the last that it printed."""
        try:
            lines = (self._directory / "prosody.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        errors = [line for line in lines if "\terror\t" in line]
        printed = said.decode("utf-8", "replace").strip().splitlines()
        return (errors or printed or ["it said nothing"])[-1].rpartition("\t")[2]

    def _watch(self) -> None:
        """Start Prosody again whenever it ends by itself."""
        while True:
            ended = self._process
            assert ended is not None
            assert ended.stdout is not None
            while ended.stdout.read1(65536):  # type: ignore[attr-defined]  # unread output would block Prosody
                pass
            code = ended.wait()
            if self._stopping.wait(RESTART_PAUSE):
                return
            log.warning("Prosody ended with code %s; starting it again.", code)
            try:
                taken = self._launch()
            except (MiniAppError, OSError) as error:  # OSError: its files were removed
                taken = [0]
                log.error("%s", error)
            if taken:
                with self._lock:
                    self._end()
            if self._process is not ended:
                self._close_pipes(ended)

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _close_pipes(self, process: subprocess.Popen[bytes] | None) -> None:
        for pipe in (process.stdin, process.stdout) if process else ():
            if pipe is not None:
                pipe.close()


def _no_files(error: OSError) -> MiniAppError:
    return MiniAppError(
        f"Prosody's file {error.filename} can't be used: {error.strerror}.",
        hint="Make room on its disk, and its folder writable for this user; --xmpp off does without it.",
        code=Code.PROSODY,
    )


def _numbers(ports: Ports) -> tuple[int, int, int]:
    return ports.c2s, ports.http, ports.component


def read_ports(path: Path) -> Ports:
    """Return the ports that the last run wrote to the file at `path`."""
    try:
        ports = Ports(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # there is none, or it was damaged
        return Ports()
    return ports if all(type(port) is int and 0 < port < 65536 for port in _numbers(ports)) else Ports()


def _first(ports: Ports, others: Ports) -> Ports:
    """Return `ports` with those of `others` where they are 0."""
    return Ports(*(one or other for one, other in zip(_numbers(ports), _numbers(others), strict=True)))


def _chosen(ports: Ports) -> Ports:
    """`ports` with free ones for those that are 0. They are held together, so that no two are the same."""
    held = [socket.create_server(("127.0.0.1", port)) if port == 0 else None for port in _numbers(ports)]
    try:
        numbers = [one.getsockname()[1] if one else given for one, given in zip(held, _numbers(ports), strict=True)]
    finally:
        for one in held:
            if one:
                one.close()
    return Ports(*numbers)
