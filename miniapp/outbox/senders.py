"""Threads that send: all of them, or one alone where that is quicker.

Threads are there to wait for the host side by side. If it answers at once, there is nothing to wait for but the
interpreter, and each change of threads costs: a loop over the client makes 3,170 calls a second with one thread, 2,425
with eight. So where one thread alone would nearly always be at work, it is left alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

LOOK = 0.05
"""Seconds between looks at how busy the threads are: a hundred calls, if they are."""
FULL, ENOUGH = 0.9, 0.7
"""Processor time, of the time. If that of all is above the one, they nearly always wait for each other: one alone is
tried, kept while its own is above the other: it is at 0.9 if the host answers at once, at 0.4 if it takes 0.3 ms."""
AGAIN_MIN, AGAIN_MAX = 1.0, 64.0
"""Seconds after which one alone is tried again, each time four times as many: it may cost what the others send during
`LOOK`."""


class Senders(Generic[T]):
    """Up to `most` threads. Everything but `send` is for one other thread, whose processor time counts with theirs."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: SimpleQueue[T | None] = SimpleQueue()  # None: one of the threads ends
        self._together = threading.Event()
        self._spent: deque[float] = deque()  # seconds of the processor that each item took, since the last look
        self._looked = self._own = self._next = 0.0
        self._again = AGAIN_MIN

    @contextmanager
    def sending(self, send: Callable[[T], None]) -> Iterator[None]:
        """`send`, which must not raise, is called with each item that is put; at the end it has been with all."""
        self._together.set()
        self._looked, self._own = time.monotonic(), time.thread_time()
        # Daemons: else the interpreter, at its end, would wait for them before anybody could tell us to stop.
        threads = [
            threading.Thread(target=self._work, args=(send, number == 0), name="miniapp-outbox-send", daemon=True)
            for number in range(self._most)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._together.set()
            for _ in threads:
                self._queue.put(None)
            for thread in threads:
                thread.join()

    def put(self, item: T) -> None:
        self._queue.put(item)

    @property
    def count(self) -> int:
        """How many send."""
        return self._most if self._together.is_set() else 1

    @property
    def patience(self) -> float:
        """Seconds after which `look` is to be called even if nothing came back: the host of one alone may be slow."""
        return math.inf if self._together.is_set() else max(0.001, self._looked + LOOK - time.monotonic())

    def look(self) -> None:
        """Decides how many send, once in `LOOK` seconds."""
        now, own, spent = time.monotonic(), time.thread_time(), 0.0
        since = now - self._looked
        if since < LOOK:
            return
        while self._spent:
            spent += self._spent.popleft()
        busy = (spent + own - self._own) / since
        self._looked, self._own = now, own
        if self._together.is_set():
            if busy > FULL and now >= self._next and self._most > 1:
                self._together.clear()
        elif busy > ENOUGH:
            self._again = AGAIN_MIN
        else:
            self._together.set()
            self._next, self._again = now + self._again, min(4 * self._again, AGAIN_MAX)

    def _work(self, send: Callable[[T], None], first: bool) -> None:
        while True:
            if not first:
                self._together.wait()
            item = self._queue.get()
            if item is None:
                return
            began = time.thread_time()
            send(item)
            self._sent(time.thread_time() - began)

    def _sent(self, spent: float) -> None:
        self._spent.append(spent)
