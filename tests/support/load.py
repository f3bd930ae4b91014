"""Many users of the starter at once, on real sockets: the answers that they got, and the workers' resources."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from support.calls import APP_ID, KEY, SESSION
from support.faultcases import ERROR, HTML, cut
from support.faulthost import Fault, Talk, answer, succeed
from support.paths import ROOT

LIFETIME = 60
"""Lifetime of a login (s), instead of 300: in five minutes each user renews it six times, during the faults."""
RENEW_AT = 0.8 * LIFETIME  # as the shim does
RETRY = 5.0  # seconds after which the shim tries a failed login again
ALERTS = 0.02  # of a user's requests: two messages a second at the usual pace
PATIENCE = 120.0  # seconds for one request: a call to the host may take 15 of them, and the machine be busy
GUNICORN = ROOT / "miniapp/templates/scaffold/gunicorn.conf.py"
SETTINGS = {
    "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests",
    "ONECHAT_APP_ID": APP_ID,
    "ONECHAT_API_KEY": KEY,
    "ONECHAT_LOGIN_LIFETIME": LIFETIME,
    "WEB_CONCURRENCY": 2,
}
MOODS: dict[str, Fault] = {
    "500": answer(500, HTML),
    "503": answer(503, ERROR),
    "429": answer(429, ERROR, "Retry-After: 1"),
    "html": answer(200, HTML),
    "close": cut(b""),
    "reset": Talk.reset,
    "hang": Talk.hang,
}


def moody(failing: float, failed: Counter[str]) -> Fault:
    """Make a fault for this share of the calls, and count them in `failed`; the others succeed."""

    def fault(talk: Talk) -> None:
        if random.random() >= failing:
            return succeed(talk)
        name = random.choice(list(MOODS))
        failed[name] += 1
        return MOODS[name](talk)

    return fault


@dataclass(frozen=True)
class Lost:
    """Describe a request without a whole answer; the times are the event loop's."""

    what: str
    started: float
    ended: float


@dataclass
class Crowd:
    """Run `users` users of the app at `url` until `over`. Each sends a request every `think` seconds on average.

    `answers` counts `(what, status)`. A 401 after the end of a login counts as `page after login`.
    """

    url: str
    users: int
    think: float
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    lost: list[Lost] = field(default_factory=list)
    in_flight: int = 0
    inside: int = 0
    over: bool = False

    @property
    def pages(self) -> int:
        return self.answers["page", 200]

    def trouble(self) -> dict[str, int]:
        """Return what logged-in users got instead of their pages."""
        return {f"{what} {status}": n for (what, status), n in self.answers.items() if what == "page" and status != 200}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self.users):
                group.create_task(self._live(f"{6580000000 + number}@onechat.net"))

    async def _live(self, jid: str) -> None:
        loop = asyncio.get_running_loop()
        cookie, expires, renew_at = "", 0.0, 0.0
        while not self.over:
            now = loop.time()
            if now >= renew_at:
                status, fresh = await self._log_in(jid, cookie)
                self.inside += (status == 204) and not cookie
                cookie = fresh or cookie
                expires = now + LIFETIME - 1 if fresh else expires  # it names whole seconds
                renew_at = now + (RENEW_AT if fresh else RETRY)
            elif random.random() < ALERTS:
                await self._ask("alert", "POST", "/api/alerts", cookie, b"message=Soup", "x-www-form-urlencoded")
            else:
                await self._ask("page", "GET", "/", cookie, good_until=expires)
            await asyncio.sleep(random.uniform(0, 2 * self.think))

    async def _log_in(self, jid: str, cookie: str) -> tuple[int, str]:
        body = json.dumps({"jid": jid, "sessionId": SESSION}).encode()
        status, head = await self._ask("login", "POST", "/miniapp/session", cookie, body, "json")
        found = [line for line in head.split("\r\n") if line.lower().startswith("set-cookie:")]
        return status, found[0].partition(":")[2].partition(";")[0].strip() if status == 204 else ""

    async def _ask(
        self,
        what: str,
        method: str,
        path: str,
        cookie: str,
        body: bytes = b"",
        kind: str = "json",
        good_until: float = math.inf,
    ) -> tuple[int, str]:
        """Return the status and head of the answer to one request, on a new connection; 0 if there is none.

        A 401 that comes after `good_until`, the end of the login, is right, even for a request sent before it.
        """
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\nConnection: close\r\n"
            f"Origin: {self.url}\r\nCookie: {cookie}\r\n"
            f"Content-Type: application/{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        loop = asyncio.get_running_loop()
        started = loop.time()
        self.in_flight += 1
        try:
            async with asyncio.timeout(PATIENCE):
                status, head = _parse(await self._exchange(head.encode() + body))
        except (OSError, ValueError, TimeoutError):
            self.lost.append(Lost(what, started, loop.time()))
            return 0, ""
        finally:
            self.in_flight -= 1
        late = status == 401 and loop.time() >= good_until
        self.answers[f"{what} after login" if late else what, status] += 1
        return status, head

    async def _exchange(self, request: bytes) -> bytes:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _parse(data: bytes) -> tuple[int, str]:
    """Return status and head of a whole answer. Raises `ValueError` if it is not whole."""
    head, end, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    status = int(text.split(" ", 2)[1]) if end else 0
    lengths = [line for line in text.lower().split("\r\n") if line.startswith("content-length:")]
    if not end or (status != 204 and len(body) != int(lengths[0].partition(":")[2])):
        raise ValueError("not a whole answer")
    return status, text


# --- the servers ---


def workers(arbiter: int) -> set[int]:
    """Return gunicorn's worker processes."""
    return {int(pid) for pid in Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()}


@dataclass(frozen=True)
class Sample:
    """Hold the resources that all workers use together."""

    rss: int  # KiB
    threads: int
    files: int
    sockets: int


def sample(arbiter: int) -> Sample:
    found = [_of_process(Path(f"/proc/{pid}")) for pid in workers(arbiter)]
    return Sample(*(sum(column) for column in zip(*found, strict=True)))


def _of_process(process: Path) -> tuple[int, int, int, int]:
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    links = []
    for file in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(file))
    sockets = sum(link.startswith("socket:") for link in links)
    return int(status["VmRSS"].split()[0]), int(status["Threads"]), len(links), sockets


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`. Raises `TimeoutError` if it does not come true."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"{what} does not come") from None


async def more_pages(crowd: Crowd, count: int) -> None:
    goal = crowd.pages + count
    await until(lambda: crowd.pages >= goal, f"page {goal}")


async def reload(crowd: Crowd, arbiter: int) -> int:
    """Replace all workers under load (HUP). Return the number of requests that were lost."""
    before, lost = workers(arbiter), len(crowd.lost)
    os.kill(arbiter, signal.SIGHUP)
    await until(lambda: len(workers(arbiter) - before) == len(before) and not workers(arbiter) & before, "the reload")
    await more_pages(crowd, crowd.users)
    return len(crowd.lost) - lost


@dataclass(frozen=True)
class Kill:
    """Describe the loss of one worker. `late`: requests that were sent after it and were lost."""

    in_flight: int
    lost: int
    late: int


async def kill(crowd: Crowd, arbiter: int) -> Kill:
    """Kill one worker under load, and wait until another one has replaced it."""
    before, lost, in_flight = workers(arbiter), len(crowd.lost), crowd.in_flight
    victim = random.choice(sorted(before))
    os.kill(victim, signal.SIGKILL)
    while _runs(victim):  # until then nobody here sends anything: so each request is surely before it or after it
        pass
    at = asyncio.get_running_loop().time()
    await until(lambda: victim not in workers(arbiter) and len(workers(arbiter)) == len(before), "the next worker")
    await more_pages(crowd, crowd.users)
    gone = crowd.lost[lost:]
    return Kill(in_flight, len(gone), sum(request.started >= at for request in gone))


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
