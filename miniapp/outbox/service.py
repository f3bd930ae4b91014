"""`Outbox`: the bulk sends of one app."""

from __future__ import annotations

import _thread
import atexit
import builtins
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

from ..errors import Code, LedgerError
from ..onechat.client import OneChat
from ..settings import Settings
from . import accept, bulks, gate, ledger, signals
from .accept import Bulk, Policy
from .bulks import Progress
from .database import Database
from .delays import Delay
from .outcomes import Outcome
from .worker import Worker

log = logging.getLogger(__name__)

RESTART = 5.0
"""Seconds after which the worker thread starts again after an unexpected error."""
WATCH = 0.1
"""Seconds between looks at a watched bulk: often enough for a moving progress bar."""

_start_new_thread = _thread.start_new_thread  # gevent and eventlet put another one in its place
_outboxes: WeakSet[Outbox] = WeakSet()


class Outbox:
    """Send to many recipients: `send` puts a bulk into the ledger, a database; workers send what the ledger holds.

    What `send` has accepted survives the death of any process. An app's own is `miniapp.outbox`; for one outside of an
    app, `client` is by default a new one from `settings`, and `owner()` returns the JID of the current user or `""`.
    Safe to share among threads. The database is opened at the first use: any method then raises `LedgerError` if the
    database can't be used, and `ConfigurationError` if `ONECHAT_OUTBOX_URL` is missing or invalid.
    """

    def __init__(self, settings: Settings, client: OneChat | None = None, *, owner: Callable[[], str] = str) -> None:
        self.settings = settings
        self._client = client
        self._owner = owner
        self._lock = threading.Lock()
        self._opened: Database | None = None
        self._parents: Database | None = None
        self._worker: Worker | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        _outboxes.add(self)

    @property
    def database(self) -> Database:
        """The ledger's database, opened in this process: a connection does not survive a fork.

        Raises `LedgerError` with the code `outbox_fork` in a process that was forked while SQLite's file was in use.
        """
        with self._lock:
            if self._opened is None:
                if self._parents is not None and self._parents.is_sqlite and self._parents.connections:
                    raise LedgerError(
                        "This process was forked from one that was using the outbox. SQLite does not support that.",
                        hint="Use the outbox after the fork only, or call its stop() before."
                        " Under gunicorn's --preload, leave it alone while the app is imported.",
                        code=Code.OUTBOX_FORK,
                    )
                self._opened = self._open()
            return self._opened

    def _open(self) -> Database:
        database = Database(self.settings.outbox_url)
        replaced = _thread.start_new_thread is not _start_new_thread
        if replaced and self.settings.outbox_worker == "thread" and database.is_sqlite:
            database.close()
            raise LedgerError(
                "Threads were replaced, by gevent for example, after miniapp was imported: the outbox would hang.",
                hint="Begin gunicorn.conf.py with: from gevent import monkey; monkey.patch_all()."
                " Or leave out gunicorn's --preload.",
                code=Code.OUTBOX_THREADS,
            )
        return database

    @contextmanager
    def _using(self) -> Iterator[Database]:
        """Yield the database. Its failures are raised as `LedgerError`."""
        database = self.database
        try:
            yield database
        except database.failures as error:
            raise database.failed(error) from error

    def check(self) -> None:
        """Raise `LedgerError` or `ConfigurationError` unless the ledger can be read: a check for `/readyz`."""
        self.closed()

    def _before_fork(self) -> None:
        """Wait for a thread that opens the database, and close the connections that none uses."""
        self._lock.acquire()
        if self._opened is not None and self._opened.is_sqlite:
            self._opened.release()

    def _after_fork(self) -> None:
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        """Leave the parent's connections open: closing them here would break them there."""
        self._lock = threading.Lock()
        self._parents = self._opened or self._parents
        self._opened = self._worker = self._thread = None

    def send(
        self,
        recipients: Iterable[str],
        text: str,
        *,
        key: str | None = None,
        policy: Policy = "hold",
        owner: str | None = None,
    ) -> Bulk:
        """Accept `text` for `recipients`: JIDs of users and groups, and domains. Duplicates get it once.

        The bulk is on the disk when this returns. `text` has 1 to 4096 bytes of UTF-8. `key` is an idempotency key of
        1 to 255 characters: the same key returns the same bulk, and raises `KeyTakenError` if text, policy or
        recipients differ. `policy` is for sends whose outcome is unknown: `hold` leaves them to an operator (at most
        once), `resend` repeats them (at least once, never a broadcast). `owner` is the JID of the user who may watch
        the progress, by default the logged-in one.

        Raises `JIDError` with the position of the recipient, `MessageError`, `LedgerError`, `KeyTakenError`, and
        `MiniAppError` with the code `argument` for another wrong argument. Nothing is sent then.
        """
        owner = self._owner() if owner is None else owner
        with self._using() as database:
            bulk = accept.accept(database, recipients, text, key=key, policy=policy, owner=owner)
        self.start()
        return bulk

    def progress(self, bulk: int) -> Progress:
        """Return the progress of the bulk with this ID. Raises `NoBulkError`, `LedgerError`."""
        with self._using() as database:
            return bulks.progress(database, bulk, self.settings.outbox_rate)

    def list(self, limit: int = 20) -> list[Progress]:
        """Return the latest bulks, up to `limit`, newest first. Raises `LedgerError`."""
        with self._using() as database:
            return bulks.listing(database, limit, self.settings.outbox_rate)

    def left(self) -> builtins.list[Progress]:
        """Return the bulks that have something to send, paused ones too, oldest first. Raises `LedgerError`."""
        with self._using() as database:
            return bulks.left(database, self.settings.outbox_rate)

    def closed(self) -> Delay | None:
        """Return why no bulk can send now, or None: OneChat asked to wait, can't be reached, or the rate is used up.

        Raises `LedgerError`.
        """
        with self._using() as database, database.read.begin() as connection:
            return gate.closed(connection, database, self.settings.outbox_rate)

    def open(self) -> Delay | None:
        """Send at once although OneChat asked to wait or can't be reached. Return the delay that this ends, or None.

        Raises `LedgerError`.
        """
        with self._using() as database, database.write.begin() as connection:
            delay = gate.open_now(connection, database)
        self.start()
        return delay

    def items(self, bulk: int, *states: str) -> Iterator[bulks.Item]:
        """Yield the bulk's recipients in their order, only those in `states` if any are given. Raises `LedgerError`."""
        with self._using() as database:
            yield from bulks.items(database, bulk, states or bulks.STATES)

    def pause(self, bulk: int) -> None:
        """Pause the bulk: no further call begins; those under way end. Raises `NoBulkError`, `LedgerError`."""
        with self._using() as database:
            bulks.pause(database, bulk)

    def resume(self, bulk: int) -> None:
        """Resume a paused bulk. Raises `NoBulkError`, `LedgerError`."""
        with self._using() as database:
            bulks.resume(database, bulk)
        self.start()

    def cancel(self, bulk: int) -> None:
        """Cancel the bulk: its waiting items are never sent. Raises `NoBulkError`, `LedgerError`."""
        with self._using() as database:
            bulks.cancel(database, bulk)

    def retry(self, bulk: int, *states: str, broadcasts: bool = False) -> int:
        """Queue the bulk's items in `states` (of `refused`, `unknown`) again, and return how many.

        `unknown` ones may arrive twice. Broadcasts to a whole domain are queued only with `broadcasts`. Raises
        `NoBulkError`, `LedgerError`, and `MiniAppError` with the code `argument` for another state.
        """
        with self._using() as database:
            count = bulks.retry(database, bulk, states, broadcasts=broadcasts)
        self.start()
        return count

    def forget(self, days: float) -> int:
        """Delete bulks that ended more than `days` ago, with their keys; return how many. Raises `LedgerError`."""
        with self._using() as database, database.write.begin() as connection:
            return ledger.forget(connection, database, days * 86400)

    def watch(self, bulk: int, timeout: float | None = None) -> Iterator[Progress]:
        """Yield the bulk's progress every 0.1 s, until it is done, paused or cancelled, or `timeout` (s) is over.

        By default there is no time-out. Raises `NoBulkError`, `LedgerError`.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            now = self.progress(bulk)
            yield now
            if now.state != "running" or (ends is not None and time.monotonic() >= ends):
                return
            time.sleep(WATCH)

    # --- the worker ---

    def worker(self) -> Worker:
        """Return a worker for this outbox. It sends this outbox's signals."""
        return self._new_worker(self.database)

    def _new_worker(self, database: Database) -> Worker:
        return Worker(
            database,
            self._client or OneChat(self.settings),
            concurrency=self.settings.outbox_concurrency,
            rate=self.settings.outbox_rate,
            on_failed=self._failed,
            on_done=self._done,
        )

    def work(self, stop: threading.Event, *, drain: bool = False) -> None:
        """Send until `stop` is set, or with `drain` until nothing is due: what `miniapp worker` runs."""
        if self.database.is_sqlite or drain:
            self.worker().run(stop, drain=drain)
        else:
            from . import cluster

            cluster.work(self.database, self.settings.outbox_url, self.worker(), stop)

    def start(self) -> None:
        """Start this process's worker thread if the settings want one, or wake it if it runs."""
        if self.settings.outbox_worker != "thread" or not self.database.is_sqlite:
            return
        with self._lock:
            if self._worker is None:
                assert self._opened is not None
                self._worker = self._new_worker(self._opened)
                self._stop = threading.Event()
                arguments = (self._worker, self._stop)
                self._thread = threading.Thread(target=_run, args=arguments, name="miniapp-outbox", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
            worker = self._worker
        worker.wake()

    def stop(self) -> None:
        """End this process's worker thread after the calls under way, and close the database."""
        with self._lock:
            worker, thread, opened = self._worker, self._thread, self._opened
            self._worker = self._thread = self._opened = None
        self._stop.set()
        if worker is not None and thread is not None:
            worker.wake()
            thread.join(self.settings.deadline + 1)  # its POSTs end by their deadline
            atexit.unregister(self.stop)
        if opened is not None:
            opened.close()

    def _failed(self, outcome: Outcome) -> None:
        claim = outcome.claim
        signals.item_failed.send(
            self, bulk=claim.bulk, jid=claim.recipient.jid, state=outcome.state, answer=outcome.answer
        )

    def _done(self, bulk: int) -> None:
        progress = self.progress(bulk)
        if progress.state == "done":  # else it runs again, and is announced when it is done
            signals.bulk_done.send(self, bulk=progress)


def _run(worker: Worker, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            worker.run(stop)
        except Exception:
            log.exception("The outbox's worker failed; it starts again in %g s.", RESTART)
            stop.wait(RESTART)


def _each(step: Callable[[Outbox], None]) -> Callable[[], None]:
    def hook() -> None:
        for outbox in list(_outboxes):
            step(outbox)

    return hook


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_each(Outbox._before_fork),
        after_in_parent=_each(Outbox._after_fork),
        after_in_child=_each(Outbox._after_fork_in_child),
    )
