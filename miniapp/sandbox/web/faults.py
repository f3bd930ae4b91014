"""Failures to order: the next calls of the REST API fail in a chosen way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from ... import contract
from ..store.records import Refusal

MAX_TIMES = 1000  # of one order: a slip of the hand can't break the host for the rest of the day
Word = Literal["error", "hang", "reset", "html", "busy"]


@dataclass(frozen=True, slots=True)
class Status:
    """Fail with this HTTP status and this body: JSON, or text as it is."""

    status: int
    body: Any = None


How = Word | Status


class Faults:
    """The failures that were ordered and have not happened yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, list[How]] = {}
        self.released = threading.Event()

    def order(self, call: str, times: int, how: How) -> None:
        """Let the next `times` calls of `call` fail; they come after what was ordered before."""
        with self._lock:
            self._orders.setdefault(call, []).extend([how] * times)

    def take(self, call: str) -> How | None:
        """Return how this call of `call` is to fail, or None."""
        with self._lock:
            waiting = self._orders.get(call)
            return waiting.pop(0) if waiting else None

    def clear(self) -> None:
        """Forget all orders, and let go of the calls that hang."""
        with self._lock:
            self._orders.clear()
            self.released.set()
            self.released = threading.Event()


def parse_order(body: dict[str, Any]) -> tuple[str, int, How]:
    """Call, times and manner of an order as the controls take it. Raises `Refusal`."""
    call, times, how = body.get("call"), body.get("times", 1), body.get("how")
    if not isinstance(call, str) or call not in contract.CALLS:
        raise Refusal("call: is none of OneChat's calls.", hint=f"They are {', '.join(contract.CALLS)}.")
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MAX_TIMES:
        raise Refusal(f"times: is not a number from 1 to {MAX_TIMES}.")
    if isinstance(how, dict):
        status = how.get("status")
        if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
            raise Refusal("how.status: is not an HTTP status from 200 to 599.")
        return call, times, Status(status, how.get("body"))
    if not isinstance(how, str) or how not in get_args(Word):
        raise Refusal("how: is none of the known ways.", hint=f'{", ".join(get_args(Word))}, or {{"status": 503}}.')
    return call, times, cast(Word, how)
