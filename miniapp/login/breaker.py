"""Keeps a host that is away from holding the app's threads, which those who are logged in need for their pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import HostError, HostUnreachable

PLACES = 4
"""Calls under way at a time, per process, that may take as long as the settings let them: half of the eight threads
that a process has as we ship it."""
PATIENCE = 2.0
"""Seconds for a call beyond those, or to wait for somebody else's: a host that is well answers in tens of milliseconds,
and one that answers nobody in that time hangs."""
FAILURES = 5
"""Failures in a row that mean the host is away: each was repeated twice already, but one user's bad luck is no sign."""
PROBE = 5.0
"""Seconds between two calls to a host that is away: as long as the others are told to wait (Retry-After), so within
twice that they are in again. The deadline of a call is three times as long: probes that hang leave a place free."""


class Breaker:
    """Counts how the calls to the host end. After `FAILURES` that did not reach it, most callers fail at once, with
    no call made; one every `PROBE` seconds tries, and the first that succeeds ends it.
    """

    def __init__(self, call: str) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(PLACES)
        self._failures = 0
        self._probe_at = 0.0
        self._answered_at = 0.0

    @contextmanager
    def place(self) -> Iterator[float | None]:
        """Guard a call to the host. Yields the seconds that it may take, None for the full deadline.

        Raises `HostUnreachable` instead where there is no sense in a call.
        """
        if not self._may_try():
            raise self.away()
        began = time.monotonic()
        placed = self._places.acquire(blocking=False)
        try:
            yield None if placed else PATIENCE
        except HostUnreachable:
            hangs = not placed and self._answered_at < began <= time.monotonic() - PATIENCE
            self._note(FAILURES if hangs else 1)
            raise
        except HostError:  # it said something, so it is there
            self._note(0)
            raise
        else:
            self._note(0)
        finally:
            if placed:
                self._places.release()

    def away(self) -> HostUnreachable:
        """Return the error of a call that was not made."""
        return HostUnreachable(
            f"OneChat was not asked for {self._call}: it did not answer the calls before.",
            call=self._call,
            maybe_done=False,
            hint="It is tried again every few seconds.",
        )

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._failures >= FAILURES:
                if now < self._probe_at:
                    return False
                self._probe_at = now + PROBE
            return True

    def _note(self, failures: int) -> None:
        """That a call ended, with so many signs that the host is away: none is a sign that it isn't."""
        with self._lock:
            self._failures = self._failures + failures if failures else 0
            if not failures:
                self._answered_at = time.monotonic()
            if self._failures >= FAILURES:
                self._probe_at = time.monotonic() + PROBE
