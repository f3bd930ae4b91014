"""Why messages wait, in words for operators. Users of a mini app never see them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Reason = Literal["host_busy", "host_unreachable", "rate", "paused", "retry", "no_worker"]

FURTHER = 60.0
"""Seconds by which a host must extend its pause to be told of again: each call on its way extends it by a little."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Say why nothing goes out.

    `reason` is `host_busy`, `host_unreachable`, `rate`, `paused`, `retry` or `no_worker`. `until` is the Unix time (s)
    when that ends, None if it is not known. `text` is a sentence for operators.
    """

    reason: Reason
    until: float | None
    text: str

    def is_news(self, told: Delay | None) -> bool:
        """Return whether a person who was told of `told` needs to be told of this too."""
        if told is None or self.reason != told.reason:
            return True
        return self.reason == "host_busy" and (self.until or 0.0) > (told.until or 0.0) + FURTHER


def when(at: float) -> str:
    """Return a Unix time as people read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def busy(wait: float) -> Delay:
    """Return the delay of a host that asked to wait for `wait` seconds."""
    at = time.time() + wait
    why = "OneChat answered HTTP 429, which asks us to wait. `miniapp outbox open` sends at once."
    return Delay("host_busy", at, f"Nothing goes out until {when(at)}: {why}")


def unreachable(failures: int, wait: float) -> Delay:
    """Return the delay of a host that can not be reached; the next call tries it in `wait` seconds."""
    at = time.time() + wait
    why = f"OneChat did not answer {failures} calls in a row. One call tries it then; `miniapp outbox open` tries now."
    return Delay("host_unreachable", at, f"Nothing goes out until {when(at)}: {why}")


def limited(rate: float, wait: float) -> Delay:
    """Return the delay by the rate limit, in messages a second."""
    at = time.time() + wait
    return Delay("rate", at, f"Nothing goes out until {when(at)}: ONECHAT_OUTBOX_RATE allows {rate:g} a second.")


def paused(bulk: int, note: str) -> Delay:
    """Return the delay of a paused bulk; `note` says why, if a worker paused it."""
    why = f": {note}" if note else "."
    return Delay("paused", None, f"Bulk {bulk} is paused{why} `miniapp outbox resume {bulk}` lets it go on.")


def retry(bulk: int, wait: float) -> Delay:
    """Return the delay of a bulk whose items are all due again in `wait` seconds at the earliest."""
    at = time.time() + wait
    return Delay("retry", at, f"Bulk {bulk} waits until {when(at)}: its last attempts failed, and are repeated then.")


def no_worker() -> Delay:
    """Return the delay where no worker runs."""
    how = "Start `miniapp worker`, or the app itself where ONECHAT_OUTBOX_WORKER is thread."
    return Delay("no_worker", None, f"Nothing goes out: no worker seems to run. {how}")
