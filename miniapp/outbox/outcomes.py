"""What the outcome of a send means for its item, and how long to wait after it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from ..errors import HostBusy, HostError, HostRefused, HostUnreachable, MiniAppError
from ..jid import Recipient

ItemState = Literal["queued", "sent", "refused", "unknown"]
HostState = Literal["up", "down", "busy"]

UNKNOWN_LIMIT = 5
"""Attempts without an answer after which `resend` leaves an item to an operator: it has probably arrived by then."""
BACKOFF_FIRST, BACKOFF_MAX = 1.0, 60.0
"""Seconds before an item is tried again, doubled each time: a hiccup passes quickly, an outage needs no hurry."""
BUSY_WAIT = 2.0
"""Seconds that all workers wait after a 429 without a usable Retry-After: no pause at all would flood the host."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that a worker has leased: all that is needed to send it."""

    id: int
    bulk: int
    recipient: Recipient
    text: str
    policy: str
    attempts: int
    unknown_attempts: int

    @property
    def is_broadcast(self) -> bool:
        """Whether the item goes to a whole domain. A broadcast is never repeated automatically."""
        return self.recipient.kind == "domain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt, and what follows from it.

    `wait`: seconds before the item may be tried again. `is_unknown`: the host may have delivered the message. `host`:
    what the attempt says about the host, None if nothing; `host_wait`: the seconds that a busy host asked for.
    `pause`: why the whole bulk has to wait for an operator.
    """

    claim: Claim
    state: ItemState
    answer: str = ""
    wait: float = 0.0
    is_unknown: bool = False
    host: HostState | None = "up"
    host_wait: float | None = None
    pause: str = ""


def backoff(failures: int, *, first: float = BACKOFF_FIRST, limit: float = BACKOFF_MAX) -> float:
    """Return the seconds to wait after so many failures: doubled each time up to `limit`, then randomly up to halved.

    The jitter keeps workers that failed together from retrying together.
    """
    return float(min(limit, first * 2 ** min(failures - 1, 16)) * random.uniform(0.5, 1.0))  # noqa: S311 # no secret


def judge(claim: Claim, error: BaseException | None) -> Outcome:
    """Return the outcome of an attempt that raised `error`, or None. The first matching row counts:

    | | item | the host |
    |---|---|---|
    | success | sent | is up |
    | 429 | queued; a broadcast: refused | asks all to wait |
    | 401, 403, `Unauthorized` | queued, and its bulk paused: the fault is the app's, not the recipient's | is up |
    | any other `Error`; a text or JID that can't be sent | refused | is up |
    | the request certainly never left | queued; a broadcast: refused | is down |
    | anything else: it may have arrived | by the policy: unknown, or queued; a broadcast: unknown | down or up |
    """
    if error is None:
        return Outcome(claim, "sent")
    words = error.message if isinstance(error, MiniAppError) else f"Sending failed: {type(error).__name__}."
    if isinstance(error, HostBusy):
        wait = error.retry_after or BUSY_WAIT
        state: ItemState = "refused" if claim.is_broadcast else "queued"
        return Outcome(claim, state, words, host="busy", host_wait=wait)
    if isinstance(error, HostRefused):
        if error.status in (401, 403) or error.description.strip().lower() == "unauthorized":
            return Outcome(claim, "queued", words, pause=f"{words} Mend that, then resume.")
        return Outcome(claim, "refused", error.description)
    if isinstance(error, MiniAppError) and not isinstance(error, HostError):
        return Outcome(claim, "refused", words, host=None)
    host: HostState | None = "down" if isinstance(error, HostUnreachable) else None
    if isinstance(error, HostError) and not error.maybe_done:
        if claim.is_broadcast:
            return Outcome(claim, "refused", words, host=host)
        # No wait of the item's own: the gate waits for a host that is down.
        return Outcome(claim, "queued", words, host=host)
    if claim.policy == "resend" and not claim.is_broadcast and claim.unknown_attempts + 1 < UNKNOWN_LIMIT:
        wait = backoff(claim.unknown_attempts + 1)
        return Outcome(claim, "queued", words, wait=wait, is_unknown=True, host=host)
    return Outcome(claim, "unknown", words, is_unknown=True, host=host)
