"""A page for those who are logged in.

In the process a bare request takes 62 µs, ours 67 and Flask-Login's 167: medians of 1,500 WSGI calls each,
interleaved. In five rounds ours took 4 to 6 µs more than bare. Gunicorn and the system take the rest.

Ours looks the `Cookie` header up in a table of those seen lately, which holds 4,096 headers. It checks the signature
only when a header is new, compares the expiry with the clock, and sets two headers for caches. It opens Flask's
session only for requests that have its cookie.

Flask-Login's own way goes through that session: signature and JSON for each request. flask-jwt-extended checks a
JWT's signature, its JSON and its claims each time. The naive way waits for the host.

The next limit is Flask's dispatch and gunicorn's parser of requests, in the bare page as well.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import requests

from . import pageapps
from .processes import Running, gunicorn, host
from .report import Progress, Row, Table, interleaved

SETUPS = {
    "one worker of 4 threads": ("--workers", "1", "--threads", "4"),
    "two workers of 4 threads": ("--workers", "2", "--threads", "4"),
}
CONNECTIONS = 8
"""Twice the threads of one worker: none of them is ever idle, and no queue grows."""
NOTES = {
    "bare Flask": "the limit",
    "naive": "`requests.post(authenticateUser)` for each request",
}


def measure(quick: bool, progress: Progress) -> list[Table]:
    rounds, seconds = (1, 1) if quick else (5, 2)
    tables = []
    for setup, arguments in list(SETUPS.items())[: 1 if quick else None]:
        with ExitStack() as stack:
            stub = stack.enter_context(host())
            subjects: dict[str, Callable[[], float]] = {}
            spent: dict[str, list[float]] = {}
            for name, make in pageapps.SUBJECTS.items():
                progress(f"starting {name}")
                call = f"bench.pageapps:{make.__name__}()"
                server = stack.enter_context(gunicorn(call, {"BENCH_HOST": f"{stub.url}/onechat/api"}, *arguments))
                cookie = log_in(server.url) if make is not pageapps.bare else ""
                spent[name] = []
                subjects[name] = lambda s=server, c=cookie, n=name, t=spent: load(s, c, seconds, t[n])  # type: ignore[misc]
            load_rows = interleaved(subjects, rounds, progress)
        tables += _tables(setup, load_rows, spent, seconds)
    return tables


def log_in(url: str) -> str:
    """The Cookie header of somebody who is logged in, once the page has answered to it."""
    with requests.Session() as session:
        session.trust_env = False
        if session.post(f"{url}/login", timeout=10).status_code == 404:  # ours
            body = {"jid": pageapps.JID, "sessionId": pageapps.SESSION_ID}
            session.post(f"{url}/miniapp/session", json=body, headers={"Origin": url}, timeout=10).raise_for_status()
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    page = requests.get(url, headers={"Cookie": cookie}, timeout=10)
    assert page.ok, page.text
    assert pageapps.JID in page.text
    assert requests.get(url, timeout=10).status_code == 401, "the page is not protected"
    return cookie


def load(server: Running, cookie: str, seconds: int, spent: list[float]) -> float:
    """Requests a second by wrk; the server's processor time for each, in µs, is added to `spent`."""
    before = server.cpu()
    header = ["--header", f"Cookie: {cookie}"] if cookie else []
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", *header]
    output = subprocess.run([*command, f"{server.url}/"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output
    done = int(re.search(r"(\d+) requests in", output)[1])  # type: ignore[index]
    spent.append((server.cpu() - before) / done * 1e6)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])  # type: ignore[index]


def _tables(setup: str, rows: list[Row], spent: Mapping[str, list[float]], seconds: int) -> list[Table]:
    how = (
        f"gunicorn, gthread, {setup}; wrk with {CONNECTIONS} connections that stay open, {seconds} s for each subject "
        "and round, on the same machine. The page is one line that names the user: with a longer one, all would look "
        "better."
    )
    return [
        Table(
            f"Requests a second, {setup}",
            how,
            "requests/s",
            True,
            [Row(row.name, row.values, NOTES.get(row.name, "")) for row in rows],
            "bare Flask",
            "miniapp at 0.90 or more of the bare page.",
        ),
        Table(
            f"Processor time of a request, {setup}",
            "The same runs: the processor time of gunicorn's processes, by the requests that they answered.",
            "µs/request",
            False,
            [Row(name, values) for name, values in spent.items()],
            "bare Flask",
            "1.11 or less: 1 / 0.90.",
        ),
    ]
