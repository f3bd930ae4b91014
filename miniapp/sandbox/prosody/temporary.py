"""Directories that are gone after their sandbox: at its end, or, if it was killed, at the start of the next one.

The owner and the server that it starts there hold a lock on a file in the directory, which the kernel lets go of when
both have ended, however they do.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

PREFIX = "onechat-xmpp-"
UNLOCKED = "onechat-new-"  # the name until the lock is held, which nobody clears away
LOCK = "sandbox.lock"


class TemporaryDirectory:
    """A directory of this process's own, at `path`, until `remove()`; `lock` is what its server is handed."""

    def __init__(self) -> None:
        made = Path(tempfile.mkdtemp(prefix=UNLOCKED))
        self.lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.path = made.rename(made.with_name(made.name.replace(UNLOCKED, PREFIX, 1)))

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def clear_away(owners: Collection[int]) -> None:
    """Remove the directories of sandboxes that have ended, of those that belong to one of the users `owners`."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # it is somebody else's, in use, or gone already
            if directory.is_symlink() or directory.stat().st_uid not in owners:
                continue
            lock = os.open(directory / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)
