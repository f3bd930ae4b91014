"""Server-sent events: one stream for all phones of a browser, which can be resumed where it broke off."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any

HEARTBEAT = 15.0  # seconds; proxies and browsers give up on a stream that is silent for 30 to 60
POLL = 1.0  # seconds within which a stream sees that its client has gone, and gives its thread back
RING = 2048  # events kept for a stream that comes back: a broadcast to 1,000 users and the answers to it

Event = tuple[int, str, Any]


class EventHub:
    """Takes events and hands them to every open stream, and to streams that come back soon."""

    def __init__(self, *, heartbeat: float = HEARTBEAT, poll: float = POLL) -> None:
        self._heartbeat = heartbeat
        self._poll = poll
        self._ring: deque[Event] = deque(maxlen=RING)
        self._last = 0
        self._forgotten = 0  # events up to this one are not to be sent any more
        self._changed = threading.Condition()
        self._closed = False
        self.open_streams = 0

    def publish(self, name: str, data: Any = None) -> None:
        """Send an event to every open stream."""
        with self._changed:
            self._last += 1
            self._ring.append((self._last, name, {} if data is None else data))
            self._changed.notify_all()

    def forget(self) -> None:
        """Drop the events so far. A stream that has yet to send some of them makes its client look again instead."""
        with self._changed:
            self._ring.clear()
            self._forgotten = self._last

    def close(self) -> None:
        """End every stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stream(self, last_id: str | None, gone: Callable[[], bool]) -> Iterator[str]:
        """Yield the events after `last_id`, or from now on, until the hub closes or `gone()` says so.

        Raises nothing for a `last_id` that makes no sense: it is one that can't be resumed from.
        """
        with self._changed:
            self.open_streams += 1
        try:
            yield from self._events(last_id, gone)
        finally:
            with self._changed:
                self.open_streams -= 1

    def _events(self, last_id: str | None, gone: Callable[[], bool]) -> Iterator[str]:
        with self._changed:
            at = self._last
            known = last_id is None or (last_id.isascii() and last_id.isdigit() and len(last_id) < 19)
            if last_id is not None and known:
                at = int(last_id)
                known = self._oldest() - 1 <= at <= self._last
        yield ": the sandbox's events\n\n"  # so that the page knows at once that the stream is open
        if not known:
            at = yield from self._look_again()
        silent = 0.0
        while not gone():
            with self._changed:
                if not self._closed and self._last == at:
                    self._changed.wait(self._poll)
                if self._closed:
                    return
                missed = at < self._oldest() - 1
                news = [event for event in self._ring if event[0] > at]
            if missed:  # this client reads more slowly than events come
                at = yield from self._look_again()
            elif news:
                silent = 0.0
                for number, name, data in news:
                    if number <= self._forgotten:
                        break
                    yield _frame(number, name, data)
                    at = number
            else:
                silent += self._poll
                if silent >= self._heartbeat:
                    silent = 0.0
                    yield ": still here\n\n"

    def _look_again(self) -> Generator[str, None, int]:
        with self._changed:
            at = self._last
        yield _frame(at, "state", {})
        yield _frame(at, "threads", {})
        return at

    def _oldest(self) -> int:
        return self._ring[0][0] if self._ring else self._last + 1


def _frame(number: int, name: str, data: Any) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
