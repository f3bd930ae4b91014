"""A system clock that a test can set, for the processes that it starts, by libfaketime."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Self


class SystemClock:
    """Set the clock of all processes that are started with `environment`. Monotonic clocks stay as they are."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        assert found, "libfaketime is missing: apt-get install libfaketime"
        self._folder = Path(tempfile.mkdtemp(prefix="miniapp-clock-", dir="/tmp"))
        self._folder.chmod(0o755)  # Postgres runs as another user
        self._file = self._folder / "clock"
        self._ahead = 0
        self.jump(0)
        self.environment = {
            "LD_PRELOAD": str(found[-1]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # else a process would see a jump up to ten seconds after another one
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)

    def jump(self, seconds: int) -> None:
        """Move the clock by so many seconds, ahead or back."""
        self._ahead += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._ahead:+d}")
        new.chmod(0o644)
        new.replace(self._file)
