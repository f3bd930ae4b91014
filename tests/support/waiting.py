"""Waiting for a condition that nothing signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 60.0  # many times what a condition takes: two cores run the whole suite at once

Value = TypeVar("Value")


def until(
    condition: Callable[[], Value],
    seconds: float = SECONDS,
    ignore: type[Exception] | tuple[type[Exception], ...] = (),
) -> Value:
    """Wait until `condition()` is true. Return its value. Raises `AssertionError` after `seconds`.

    An error in `ignore` means that the condition is not true yet.
    """
    ends = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < ends:
        try:
            last = value = condition()
        except ignore as error:
            last = error
        else:
            if value:
                return value
        threading.Event().wait(0.02)  # not time.sleep, which fails under libfaketime
    raise AssertionError(f"The condition did not come true in {seconds:g} s: {last!r}")
