"""Keeps SQLite's waits for the disk out of the way of messages.

What is written to a database in WAL mode is in its log first, and is brought into the database by a checkpoint, which
waits for the disk twice. SQLite has the transaction that makes the log too long do it, and a message wait for it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

log = logging.getLogger(__name__)

SECONDS = 3.0
"""Between two checkpoints. Each holds up a few messages by some milliseconds: at this pace about one in a hundred, when
300 come in a second."""
PAGE = 1024
"""Bytes of a page, in databases that are new; SQLite's own are 4,096. A message writes 16 pages to our log and 11 to
that of Prosody's archive, few bytes of each new, and all of them go to the disk, then to the database."""
LOG_PAGES = 192_000
"""Pages of the log at which its writer is to make a checkpoint after all (`wal_autocheckpoint`): more than a thousand
messages a second write between two of ours."""
FULL_PAGES = LOG_PAGES * 3 // 4
"""Pages of the log at which we have the writer wait for what it wrote meanwhile, a few pages, to be brought in as well,
and for the disk: the log begins anew only once it is all in the database, which under steady load it would never be. As
late as can be: what is left to `LOG_PAGES` is what a thousand messages a second write until the next checkpoint."""
PATIENCE = 0.1
"""Seconds that a full one waits for whoever reads what was there before; then it is for the next time."""


def create(path: Path) -> None:
    """Make an empty database for another program's tables."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")  # which writes the first page


class Checkpoints:
    """Makes checkpoints of the database at `path` from a thread of its own, until `stop()`. Nobody waits for them."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=rw"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return once the database is closed."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        if sys.platform == "linux":  # where a thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        while not self._ending.wait(SECONDS):
            try:
                with closing(sqlite3.connect(self._uri, uri=True, timeout=PATIENCE)) as connection:
                    while not self._ending.wait(SECONDS):
                        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                        if pages > FULL_PAGES:
                            connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            except sqlite3.Error as error:  # the writer makes them itself, sooner or later
                log.debug("No checkpoint: %s", error)
