"""Keeps SQLite's waits for the disk out of the way of messages.

What is written to a database in WAL mode is in its log first, and is brought into the database by a checkpoint, which
waits for the disk twice. SQLite has the transaction that makes the log too long do it, and a message wait for it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

log = logging.getLogger(__name__)

SECONDS = 3.0
"""Between two checkpoints. Each holds up two or three messages by some milliseconds: at this pace under one in a
hundred, when 300 come in a second."""
LOG_PAGES = 48_000
"""Pages, of 4 KiB, of the log at which its writer is to make a checkpoint after all (`wal_autocheckpoint`): more than a
thousand messages a second write between two of ours. The log begins anew after each that found no reader."""


class Checkpoints:
    """Makes checkpoints of the database at `path` from a thread of its own, until `stop()`. Nobody waits for them."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=rw"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns once the database is closed."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(SECONDS):
            try:
                with closing(sqlite3.connect(self._uri, uri=True)) as connection:
                    while not self._ending.wait(SECONDS):
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:  # the writer makes them itself, sooner or later
                log.debug("No checkpoint: %s", error)
