"""Notices an app that changes its own files: each change loads its pages again, which changes them once more."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

CHANGES_MAX = 10  # in WINDOW: more than a person saves
WINDOW = 10.0  # seconds


class Loops:
    """Lets the changes of a folder through until there are too many; then not before it was quiet for a while.

    `say` is told, once, which folder is left out and what to do.
    """

    def __init__(self, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._seen: dict[Path, deque[float]] = {}
        self._stopped: set[Path] = set()

    def without(self, paths: Iterable[Path]) -> frozenset[Path]:
        """Return those of the changed `paths` that are to be followed."""
        paths = frozenset(paths)
        stopped = {folder for folder in {path.parent for path in paths} if self._goes_round(folder)}
        return frozenset(path for path in paths if path.parent not in stopped)

    def _goes_round(self, folder: Path) -> bool:
        now = self._clock()
        seen = self._seen.setdefault(folder, deque(maxlen=CHANGES_MAX))
        if seen and now - seen[-1] >= WINDOW:
            self._stopped.discard(folder)
            seen.clear()
        full = len(seen) == CHANGES_MAX and now - seen[0] < WINDOW
        seen.append(now)
        if full and folder not in self._stopped:
            self._stopped.add(folder)
            self._say(
                f"{folder}/ changes again and again, as if the app wrote there: its changes are not followed until it "
                f"was quiet for {WINDOW:.0f} s. Have git ignore what the app writes, or use --ignore '{folder}/*'."
            )
        return folder in self._stopped
