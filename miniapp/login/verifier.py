"""Ask the host whether a session is real: once for many requests, and not for everybody's guesses."""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ..errors import HostBusy, HostError, HostRefused, TooManyAttempts
from ..settings import Secret
from .breaker import PATIENCE, Breaker

log = logging.getLogger(__name__)

REMEMBERED = 5.0
"""Seconds an answer of the host serves the requests that come right behind."""

REFUSALS, WINDOW = 20, 60.0
"""Refusals in `WINDOW` seconds after which a JID, or an IP address, has to wait: far above what a person causes."""

KEYS_MAX = 10_000
"""Entries each memory here may hold: some MiB, then the oldest go."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the host said, and when (`at`: Unix time).

    `at` is None for a no. `error` is set where the host said neither, or refused the call itself.
    """

    at: float | None
    error: HostError | None = None

    @property
    def is_verdict(self) -> bool:
        """Whether the host answered: a refused call is about the app, or about the session. It does not say which."""
        return self.error is None or (isinstance(self.error, HostRefused) and not isinstance(self.error, HostBusy))

    def result(self) -> float | None:
        if self.error is not None:
            raise self.error.with_traceback(None)
        return self.at


class Verifier:
    """Verifies pairs of JID and session ID with `authenticate`, at most one call at a time for each pair.

    Its third argument is the seconds that the call may take, None for the settings' own.

    Pairs are known by a keyed digest alone: no session ID is kept. The breaker is of these calls alone: what becomes of
    messages neither opens nor shuts it.
    """

    def __init__(self, authenticate: Callable[[str, Secret, float | None], bool], key: bytes) -> None:
        self._authenticate = authenticate
        self._key = key
        self._lock = threading.Lock()
        self._flights: dict[str, Future[_Outcome]] = {}
        self._answers: OrderedDict[str, tuple[float, _Outcome]] = OrderedDict()
        self._attempts = _Attempts()
        self._breaker = Breaker("authenticateUser")

    def digest(self, jid: str, session_id: Secret) -> str:
        """Return the keyed digest (128 bits, hex) of a pair. The length prefix keeps `a`+`bc` and `ab`+`c` apart."""
        data = f"{len(jid)}:{jid}{session_id}".encode()
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()[:32]

    def verify(self, jid: str, session_id: Secret, *, address: str, known: bool = False) -> float | None:
        """Return when (Unix time) the host confirmed this pair, or None if it refused it.

        `address` is the client's; `known` tells that this is a renewal by a user who is logged in, whom other people's
        guesses must not lock out. Raises `TooManyAttempts`; `HostRefused` if the host refused the call, which is
        mostly about the app's ID and key; or the `HostError` that kept the host from answering.
        """
        digest = self.digest(jid, session_id)
        with self._lock:
            now = time.monotonic()
            kept = self._answers.get(digest)
            if kept is not None and now - kept[0] < REMEMBERED:
                return kept[1].result()
            flight = self._flights.get(digest)
            if flight is None:
                keys = () if known else (f"ip {address}", f"jid {jid}")
                self._attempts.check(keys, now)
                own: Future[_Outcome] = Future()
                self._flights[digest] = own
        if flight is not None:
            try:
                outcome = flight.result(PATIENCE)
            except TimeoutError:
                raise self._breaker.away() from None
        else:
            outcome = _Outcome(None)
            try:
                outcome = self._ask(jid, session_id)
            finally:
                self._land(digest, own, outcome, keys)
        return outcome.result()

    def _ask(self, jid: str, session_id: Secret) -> _Outcome:
        at = time.time()  # before the call: a login must not outlast what the host knew
        try:
            with self._breaker.place() as seconds:
                return _Outcome(at if self._authenticate(jid, session_id, seconds) else None)
        except HostError as error:
            return _Outcome(None, error)

    def _land(self, digest: str, flight: Future[_Outcome], outcome: _Outcome, keys: tuple[str, ...]) -> None:
        with self._lock:
            now = time.monotonic()
            if outcome.is_verdict:
                self._answers[digest] = (now, outcome)
                self._answers.move_to_end(digest)
                while self._answers and (
                    len(self._answers) > KEYS_MAX or now - next(iter(self._answers.values()))[0] >= REMEMBERED
                ):
                    self._answers.popitem(last=False)
            self._attempts.settle(keys, now, refused=outcome.is_verdict and outcome.at is None)
            del self._flights[digest]
        flight.set_result(outcome)


class _Attempts:
    """Counts refusals by key over a window, and guesses under way as if refused. The caller holds the lock."""

    def __init__(self) -> None:
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key → window's start, count
        self._under_way: dict[str, int] = {}

    def check(self, keys: tuple[str, ...], now: float) -> None:
        for key in keys:
            start, count = self._refused.get(key, (now, 0))
            if now - start >= WINDOW:
                del self._refused[key]
                start, count = now, 0
            # Many people may log in at once behind one proxy's address, but not as one JID.
            under_way = self._under_way.get(key, 0) if key.startswith("jid ") else 0
            if count + under_way >= REFUSALS:
                raise TooManyAttempts(max(1.0, start + WINDOW - now))
        for key in keys:
            self._under_way[key] = self._under_way.get(key, 0) + 1

    def settle(self, keys: tuple[str, ...], now: float, *, refused: bool) -> None:
        for key in keys:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
            if refused:
                start, count = self._refused.get(key, (now, 0))
                self._refused[key] = (start, count + 1)
                if len(self._refused) > KEYS_MAX:
                    self._refused.popitem(last=False)
