"""`Outbox`: the bulk sends of one app."""

from __future__ import annotations

import atexit
import builtins
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from ..client import OneChat
from ..settings import Settings
from . import accept, bulks, ledger, rate, signals
from .accept import Bulk, Policy
from .bulks import Progress
from .delays import Delay
from .policy import Outcome
from .tables import Database
from .worker import Worker

log = logging.getLogger(__name__)

RESTART = 5.0
"""Seconds after which the worker thread starts again if something unforeseen ended it."""
WATCH = 0.1
"""Seconds between looks at a bulk that somebody waits for: often enough for a bar that moves."""


class Outbox:
    """Sends to many that survive the death of any process: `send` puts them into the ledger, workers send them.

    One object per app, safe to share among threads. `owner` tells the JID of who asks, or "". Opens the database at
    the first use. Raises `ConfigurationError` if `ONECHAT_OUTBOX_URL` doesn't do.
    """

    def __init__(self, settings: Settings, client: OneChat | None = None, *, owner: Callable[[], str] = str) -> None:
        self.settings = settings
        self._client = client
        self._owner = owner
        self._lock = threading.Lock()
        self._opened: tuple[int, Database] | None = None
        self._thread: tuple[int, Worker] | None = None
        self._stop = threading.Event()

    @property
    def database(self) -> Database:
        """The ledger's database, opened in this very process: a connection doesn't survive a fork."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), Database(self.settings.outbox_url))
            return self._opened[1]

    def send(
        self,
        recipients: Iterable[str],
        text: str,
        *,
        key: str | None = None,
        policy: Policy = "hold",
        owner: str | None = None,
    ) -> Bulk:
        """Accepts `text` for `recipients`: JIDs of users and groups, and domains, each of them once.

        It is on the disk when this returns. The same `key` again gives the same bulk, and `KeyTakenError` if anything
        else differs. `policy` is for sends whose answer never came: `hold` leaves them to a person (at most once),
        `resend` repeats them (at least once); a domain's is never repeated. `owner` may watch the progress in a mini
        app: by default whoever is logged in. Raises `JIDError`, `MessageError`, `MiniAppError`.
        """
        owner = self._owner() if owner is None else owner
        bulk = accept.accept(self.database, recipients, text, key=key, policy=policy, owner=owner)
        self.start()
        return bulk

    def progress(self, bulk: int) -> Progress:
        """How far the bulk with this ID is. Raises `NoBulkError`."""
        return bulks.progress(self.database, bulk, self.settings.outbox_rate)

    def list(self, most: int = 20) -> list[Progress]:
        """The latest bulks, newest first."""
        return bulks.listing(self.database, most, self.settings.outbox_rate)

    def left(self) -> builtins.list[Progress]:
        """Return the bulks that have something to send, paused ones too, oldest first."""
        return bulks.left(self.database, self.settings.outbox_rate)

    def closed(self) -> Delay | None:
        """Return why nothing at all goes out now: OneChat asked to wait, can't be reached, or the rate is used up."""
        with self.database.read.begin() as connection:
            return rate.closed(connection, self.database, self.settings.outbox_rate)

    def open(self) -> Delay | None:
        """Send at once although OneChat asked to wait or can't be reached, and return what had closed the gate."""
        with self.database.write.begin() as connection:
            delay = rate.open_now(connection, self.database)
        self.start()
        return delay

    def items(self, bulk: int, *states: str) -> Iterator[bulks.Item]:
        """The bulk's recipients, in these states alone if any are given."""
        return bulks.items(self.database, bulk, states or bulks.STATES)

    def pause(self, bulk: int) -> None:
        """Stops the bulk from sending more; what is on its way ends. Raises `NoBulkError`."""
        bulks.pause(self.database, bulk)

    def resume(self, bulk: int) -> None:
        """Lets a paused bulk go on. Raises `NoBulkError`."""
        bulks.resume(self.database, bulk)
        self.start()

    def cancel(self, bulk: int) -> None:
        """Stops the bulk for good; what is on its way ends. Raises `NoBulkError`."""
        bulks.cancel(self.database, bulk)

    def retry(self, bulk: int, *states: str, broadcasts: bool = False) -> int:
        """Queues the bulk's items in `states` (of `refused`, `unknown`) again; how many. Raises `NoBulkError`."""
        count = bulks.retry(self.database, bulk, states, broadcasts=broadcasts)
        self.start()
        return count

    def forget(self, days: float) -> int:
        """Deletes the bulks that ended more than so many days ago, and their keys with them; how many."""
        with self.database.write.begin() as connection:
            return ledger.forget(connection, self.database, days * 86400)

    def watch(self, bulk: int, timeout: float | None = None) -> Iterator[Progress]:
        """The bulk's progress again and again, until it is at its end, somebody paused it, or `timeout` is over."""
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            now = self.progress(bulk)
            yield now
            if now.state != "running" or (ends is not None and time.monotonic() >= ends):
                return
            time.sleep(WATCH)

    # --- the worker ---

    def worker(self) -> Worker:
        """A worker for this outbox, which sends this outbox's signals."""
        return self._worker(self.database)

    def _worker(self, database: Database) -> Worker:
        return Worker(
            database,
            self._client or OneChat(self.settings),
            concurrency=self.settings.outbox_concurrency,
            rate=self.settings.outbox_rate,
            failed=self._failed,
            done=self._done,
        )

    def work(self, stop: threading.Event, *, drain: bool = False) -> None:
        """Sends until `stop` is set, or with `drain` until nothing is left to send now: `miniapp worker`."""
        if self.database.is_sqlite or drain:
            self.worker().run(stop, drain=drain)
        else:
            from . import cluster

            cluster.work(self, stop)

    def start(self) -> None:
        """Starts this process's worker thread if the settings want one and it doesn't run; wakes it if it does."""
        if self.settings.outbox_worker != "thread" or not self.database.is_sqlite:
            return
        with self._lock:
            if self._thread is None or self._thread[0] != os.getpid():
                self._stop = threading.Event()
                self._thread = (os.getpid(), self._new_thread())
        self._thread[1].wake()

    def stop(self) -> None:
        """Ends this process's worker thread, once what is on its way has ended, and closes the database."""
        with self._lock:
            running, self._thread = self._thread, None
            opened, self._opened = self._opened, None
        self._stop.set()
        if running is not None and running[0] == os.getpid():
            running[1].wake()
            self._running.join(self.settings.deadline + 1)  # its POSTs end by their deadline
            atexit.unregister(self.stop)
        if opened is not None and opened[0] == os.getpid():
            opened[1].close()

    def _new_thread(self) -> Worker:
        assert self._opened is not None
        worker = self._worker(self._opened[1])
        self._running = threading.Thread(target=_run, args=(worker, self._stop), name="miniapp-outbox", daemon=True)
        self._running.start()
        atexit.register(self.stop)
        return worker

    def _failed(self, outcome: Outcome) -> None:
        claim = outcome.claim
        signals.item_failed.send(self, bulk=claim.bulk, jid=claim.jid, state=outcome.state, answer=outcome.answer)

    def _done(self, bulk: int) -> None:
        progress = self.progress(bulk)
        if progress.state == "done":  # else it runs again already, and is announced at its end
            signals.bulk_done.send(self, bulk=progress)


def _run(worker: Worker, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            worker.run(stop)
        except Exception:
            log.exception("The outbox's worker failed; it starts again in %g s.", RESTART)
            stop.wait(RESTART)
