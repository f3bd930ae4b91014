"""What a failed send means for its item, and how long to wait after it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from ..errors import HostBusy, HostError, HostRefused, HostUnreachable, MiniAppError

State = Literal["queued", "sent", "refused", "unknown"]
Sign = Literal["up", "down", "busy"]

DOUBTS_MAX = 5
"""Attempts without an answer after which `resend` leaves an item to a person: by then it has likely arrived often."""
BACKOFF_FIRST, BACKOFF_MAX = 1.0, 60.0
"""Seconds before an item is tried again, doubled each time: a hiccup passes quickly, an outage needs no hurry."""
BUSY_WAIT = 2.0
"""Seconds that all workers wait after a 429 whose Retry-After is missing, 0 or in the past: no wait at all would be
the flood that the host complains of."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that a worker holds: all that is needed to send it."""

    id: int
    bulk: int
    jid: str
    text: str
    policy: str
    attempts: int
    doubts: int

    @property
    def is_broadcast(self) -> bool:
        """Whether it goes to a whole domain, and so is never repeated by itself."""
        return "@" not in self.jid


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt, and what follows.

    `wait`: seconds before it may be tried again. `doubt`: the host may have done it. `sign`: what it tells about the
    host, with `sign_wait` if that said how long to wait. `pause`: why the whole bulk has to wait for a person.
    """

    claim: Claim
    state: State
    answer: str = ""
    wait: float = 0.0
    doubt: bool = False
    sign: Sign | None = "up"
    sign_wait: float | None = None
    pause: str = ""


def backoff(failures: int, *, first: float = BACKOFF_FIRST, most: float = BACKOFF_MAX) -> float:
    """Seconds to wait after so many failures: doubled each time up to `most`, then less at random, by half at most.

    The randomness keeps those who failed together from coming back together.
    """
    return float(min(most, first * 2 ** min(failures - 1, 16)) * random.uniform(0.5, 1.0))  # noqa: S311 # not hidden


def judge(claim: Claim, error: BaseException | None) -> Outcome:
    """What follows from `error`, or from the lack of one. The first row that fits:

    | | item | the host |
    |---|---|---|
    | success | sent | is up |
    | 429 | queued; for a domain: refused | asks all to wait |
    | 401, 403, `Unauthorized` | queued, and its bulk paused: it is about the app, not the recipient | is up |
    | any other `Error`; a text or JID that can't be sent | refused | is up |
    | it surely never left | queued; for a domain: refused | is down |
    | anything else: it may have arrived | by the policy: unknown, or queued; for a domain: unknown | is down, or up |
    """
    if error is None:
        return Outcome(claim, "sent")
    words = error.message if isinstance(error, MiniAppError) else f"Sending failed: {type(error).__name__}."
    if isinstance(error, HostBusy):
        wait = error.retry_after or BUSY_WAIT
        state: State = "refused" if claim.is_broadcast else "queued"
        return Outcome(claim, state, words, sign="busy", sign_wait=wait)
    if isinstance(error, HostRefused):
        if error.status in (401, 403) or error.description.strip().lower() == "unauthorized":
            return Outcome(claim, "queued", words, pause=f"{words} Mend that, then resume.")
        return Outcome(claim, "refused", error.description)
    if isinstance(error, MiniAppError) and not isinstance(error, HostError):
        return Outcome(claim, "refused", words, sign=None)
    sign: Sign | None = "down" if isinstance(error, HostUnreachable) else None
    if isinstance(error, HostError) and not error.maybe_done:
        if claim.is_broadcast:
            return Outcome(claim, "refused", words, sign=sign)
        # No wait of its own: the gate is what waits for a host that is down.
        return Outcome(claim, "queued", words, sign=sign)
    if claim.policy == "resend" and not claim.is_broadcast and claim.doubts + 1 < DOUBTS_MAX:
        return Outcome(claim, "queued", words, wait=backoff(claim.doubts + 1), doubt=True, sign=sign)
    return Outcome(claim, "unknown", words, doubt=True, sign=sign)
