"""Starts the sandbox and the app, restarts the app, reloads the pages, stops everything."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..hosts import is_loopback
from .listen import KEEP_SECONDS, LOOPBACK_HOSTS, check_host, listen, local_url, sandbox_server
from .loop import Loops
from .process import AppProcess, Ended, Ready

# `project` and `watch` load what takes a while, and are imported where the child is under way already.
if TYPE_CHECKING:
    from ..sandbox import Sandbox

STANDBY_DELAY = 1.0  # seconds without events before the next child is prepared: until then pages need the processor
FRAMEWORK = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DevOptions:
    """What `miniapp dev` was asked for."""

    app: str = "wsgi"
    host: str = "127.0.0.1"
    port: int = 5000
    sandbox_port: int = 8700
    force_host: bool = False
    reload: bool = True
    xmpp: str = "off"
    ignore: tuple[str, ...] = ()
    directory: Path = Path()


@dataclass(frozen=True)
class Running:
    """Where everything is, once it answers."""

    host_page: str
    portal: str
    app: str
    sandbox: Sandbox
    state: Path


@dataclass(frozen=True)
class _Changed:
    paths: frozenset[Path]


class _SandboxChanged:
    pass


class _Stop:
    pass


_Event = Ready | Ended | _Changed | _SandboxChanged | _Stop


class Supervisor:
    """One run of `miniapp dev`.

    `running` is called once, when host page and app both answer; `say` with each line about what happens then.
    """

    def __init__(
        self, options: DevOptions, *, running: Callable[[Running], object], say: Callable[[str], object]
    ) -> None:
        check_host(options.host, forced=options.force_host)
        self._options = options
        self._running = running
        self._say = say
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._directory = options.directory.resolve()
        self._child: AppProcess | None = None
        self._standby: AppProcess | None = None
        self._page: AppProcess | None = None  # a child that shows how the app's process ended
        self._loops = Loops(say)
        self._sandbox: Sandbox

    def run(self) -> None:
        """Run until Ctrl-C or SIGTERM, and stop everything."""
        options = self._options
        with contextlib.ExitStack() as stack:
            stack.enter_context(_signals(lambda: self._events.put(_Stop())))
            self._listener = stack.enter_context(listen(options.host, options.port, self._say))
            stack.callback(self._stop_children)
            self._prepare()  # loads the framework while this process loads the sandbox

            from ..testing.controls import Controls
            from .project import DATABASE, FOLDER, Project, StateFolder

            self._folder = stack.enter_context(StateFolder(self._directory / FOLDER))
            self._project = Project(self._directory, self._folder.path, options.app)
            self._url = f"http://localhost:{self._listener.getsockname()[1]}/"
            # What the app asks of the sandbox before that answers waits in this socket's queue.
            listener = stack.enter_context(listen(options.host, options.sandbox_port, self._say))
            self._sandbox_url = local_url(options.host, listener.getsockname()[1])
            early = self._launch()

            server = sandbox_server(
                self._folder.path / DATABASE, options.host, listener, force=options.force_host, xmpp=options.xmpp
            )
            stack.callback(server.stop)
            as_before = self._project.register(server.sandbox, self._url)
            server.start()
            if not (early and as_before):
                self._relaunch()
            self._sandbox = server.sandbox
            self._controls = Controls(self._sandbox_url, server.token)
            threading.Thread(target=self._follow, name="sandbox", daemon=True).start()
            if options.reload:
                self._watch(stack)
            self._loop(server.page_url, Path(FOLDER))

    def _prepare(self) -> None:
        self._standby = AppProcess(self._listener, self._directory, self._events.put)

    def _launch(self) -> bool:
        """Start the app, if it is known what as."""
        orders = self._orders()
        if orders is None:
            return False
        self._start_child(orders)
        return True

    def _orders(self) -> dict[str, Any] | None:
        local = is_loopback(self._options.host)
        hosts = LOOPBACK_HOSTS if local else [*LOOPBACK_HOSTS, self._options.host]
        return self._project.orders(self._sandbox_url, self._url, debugger=local, hosts=hosts)

    def _start_child(self, orders: dict[str, Any]) -> None:
        if self._standby is None or self._standby.exit_code is not None:
            self._prepare()
        self._child, self._standby = self._standby, None
        assert self._child is not None
        self._child.start(orders)

    def _relaunch(self) -> None:
        if self._child:
            self._child.stop()
        self._launch()

    def _follow(self) -> None:
        """Tell of changes in the sandbox, until it stops."""
        for frame in self._sandbox.events.stream(None, gone=lambda: False):
            if "\nevent: state\n" in frame:
                self._events.put(_SandboxChanged())

    def _watch(self, stack: contextlib.ExitStack) -> None:
        from .watch import Watcher

        watcher = Watcher(
            self._directory,
            lambda paths: self._events.put(_Changed(paths)),
            say=self._say,
            ignore=self._options.ignore,
        )
        watcher.start()
        stack.callback(watcher.stop)

    def _loop(self, host_page: str, state: Path) -> None:
        announced = False
        last = time.monotonic()
        while True:
            try:
                event = self._events.get(timeout=KEEP_SECONDS)
            except queue.Empty:
                self._keep()
                if self._wants_standby() and time.monotonic() - last >= STANDBY_DELAY:
                    self._prepare()
                continue
            last = time.monotonic()
            match event:
                case _Stop():
                    return
                case _Changed(paths=paths):
                    self._on_change(paths)
                case _SandboxChanged() if announced and not self._project.is_registered(self._sandbox):
                    self._restart("The sandbox has lost the app")
                case Ready(child=child) | Ended(child=child) if child is self._child:
                    if not announced:
                        portal = host_page + "/portal"
                        self._running(Running(host_page + "/", portal, self._url, self._sandbox, state))
                    self._on_answer(event, first=not announced)
                    announced = True

    def _keep(self) -> None:
        """Make files of the project's state again that were removed. Raises `MiniAppError` if that can't be done."""
        if self._folder.keep():
            self._project.save()
            self._say(f"{self._folder.path.name} was removed: made again, with what the sandbox had.")
        self._sandbox.restore()

    def _wants_standby(self) -> bool:
        return self._options.reload and self._standby is None

    def _on_change(self, paths: frozenset[Path]) -> None:
        from .watch import kind

        paths = self._loops.without(paths)
        if not paths:
            return
        what = ", ".join(sorted(map(str, paths))[:3]) + (", … changed" if len(paths) > 3 else " changed")
        if all(kind(path) == "page" for path in paths):
            self._controls.reload()
            self._say(f"{what}: pages reloaded.")
            return
        if self._standby and any((self._directory / path).is_relative_to(FRAMEWORK) for path in paths):
            self._standby.stop()  # it has loaded the framework as it was
            self._standby = None
        self._restart(what)

    def _restart(self, why: str) -> None:
        self._since, self._why = time.monotonic(), why
        self._keep()
        self._project.register(self._sandbox, self._url)
        try:
            self._relaunch()
        except ConfigurationError as error:  # of .env
            self._child = None
            self._say(f"{error}\nWaiting for a change.")

    def _on_answer(self, event: Ready | Ended, *, first: bool) -> None:
        if isinstance(event, Ended):
            self._on_end(event.child)
            return
        if event.child is self._page:
            self._controls.reload()
            return
        self._project.describe(self._controls, self._url, event)
        if event.error:
            self._say(f"The app could not be loaded ({event.error}). Waiting for a change.")
        if not first:
            self._controls.reload()
            if not event.error:
                self._say(f"{self._why}: app started again in {time.monotonic() - self._since:.2f} s.")

    def _on_end(self, child: AppProcess) -> None:
        """Show a page that says so, since requests would wait for a process that is gone."""
        what = f"The app's process ended with code {child.exit_code}."
        self._say(f"{what} Waiting for a change.")
        self._child = None
        with contextlib.suppress(ConfigurationError):  # of .env, which was told when it changed
            orders = self._orders()
            if child is not self._page and orders is not None:
                self._start_child(orders | {"ended": what})
                self._page = self._child

    def _stop_children(self) -> None:
        for child in (self._child, self._standby):
            if child:
                child.stop()


@contextlib.contextmanager
def _signals(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` on Ctrl-C or SIGTERM."""
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
