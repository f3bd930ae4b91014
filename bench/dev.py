"""From the command to the first page, and from an edit to the page that shows it.

`miniapp dev` runs two processes beside each other. The first imports click and starts the second, then imports the
sandbox. The second imports Flask, the framework and the app, and need not wait for the sandbox, whose socket is there.
Each takes about half a second of processor time, so the app's first page comes a tenth of a second after that of
`flask run` on two idle processors, and later on busy ones. The phones' page takes longer by SQLAlchemy, slixmpp and the
start of Prosody, which is 0.2 s.

After an edit of Python, a child that has the framework loaded already only loads the app; after an edit of a template,
nothing starts again. Of what is left, 50 ms are the wait for an editor's next event, and the rest is Chromium's, to
load the page.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Page

from miniapp.project.new import create

from .browser import ROOT, SECONDS, chromium
from .report import Progress, Table, interleaved

PAUSE = 0.005  # seconds between two looks at a port: little beside what is measured
SETTLE = 1.5  # seconds between an edit and the next: `miniapp dev` prepares its next child after one without events

FLASK, DEBUG, DEV, PHONES, VITE = (
    "flask run",
    "flask run --debug",
    "miniapp dev",
    "miniapp dev, the phones' page",
    "Vite",
)

MARK = "<p id=mark>{{ config.MARK }} template-0</p>\n"
MARK_VIEW = """@pages.get("/mark")
def mark() -> str:
    return render_template("mark.html")


"""
# `flask` as it is without watchdog, which Flask doesn't bring. With it, Flask's reloader would watch all of this clone,
# which is on Python's path, `node_modules` too; on the machine of the first runs it then missed edits.
FLASK_ALONE = """
import sys

from flask.cli import main

sys.modules["watchdog"] = None
main()
"""
VITE_FILES = {
    "index.html": '<!doctype html><link rel="icon" href="data:,"><p id="mark"></p><p>template-0</p>'
    '<script type="module" src="/main.js"></script>\n',
    "main.js": 'document.getElementById("mark").textContent = "script-0";\n',
    "package.json": '{ "private": true, "type": "module" }\n',
}


def measure(quick: bool, progress: Progress) -> list[Table]:
    """The tables on `miniapp dev`."""
    with tempfile.TemporaryDirectory(prefix="miniapp-bench-") as folder:
        project, site = Path(folder) / "lunch", Path(folder) / "site"
        _make_project(project)
        (Path(folder) / "flask_alone.py").write_text(FLASK_ALONE)
        _make_site(site)
        starts = _starts(project, site, 1 if quick else 6, progress)
        edits = _edits(project, site, 1 if quick else 5, progress)
    return [starts, *edits]


def _make_project(project: Path) -> None:
    """The starter, with a line on its page that an edit of a template and one of Python each change."""
    create(project, {})
    templates = project / "templates"
    (templates / "mark.html").write_text(MARK)
    home = templates / "home.html"
    home.write_text(_with(home.read_text(), "<main>", '<main>{% include "mark.html" %}'))
    code = project / "wsgi.py"
    init = "    miniapp.init_app(app)\n"
    text = _with(code.read_text(), init, f'    app.config["MARK"] = "python-0"\n{init}')
    home = '@pages.get("/")\n'
    code.write_text(_with(text, home, MARK_VIEW + home))
    environment = project / ".env"
    # `flask run` has no sandbox to get these from.
    text = _with(environment.read_text(), "ONECHAT_APP_ID=\n", "ONECHAT_APP_ID=bench-app-id\n")
    environment.write_text(_with(text, "ONECHAT_API_KEY=\n", "ONECHAT_API_KEY=bench-api-key\n"))


def _make_site(site: Path) -> None:
    site.mkdir()
    for name, text in VITE_FILES.items():
        (site / name).write_text(text)
    (site / "node_modules").symlink_to(ROOT / "bench/node_modules")


def _with(text: str, old: str, new: str) -> str:
    if old not in text:
        raise RuntimeError(f"The starter has no {old!r} any more; mend bench/dev.py.")
    return text.replace(old, new, 1)


# --- the first page ---


@contextmanager
def _running(command: list[str | Path], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ONECHAT_")}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            yield process
            if process.poll() is not None:
                said.seek(0)
                raise RuntimeError(f"{command[0]} ended:\n{said.read().decode(errors='replace')}")
        finally:
            # Vite and Flask's reloader have children, all in this session's group.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _get(port: int, path: str, host: str) -> bytes | None:
    """The page, or None if nobody answers there, or not to the end: Flask's reloader ends in the middle of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}", "Accept": "text/html"})
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _until(process: subprocess.Popen[bytes], port: int, path: str, words: str, host: str = "localhost") -> None:
    """Returns once the page has `words`, or the process has ended."""
    ends = time.monotonic() + SECONDS
    while process.poll() is None:
        if words.encode() in (_get(port, path, host) or b""):
            return
        if time.monotonic() > ends:
            raise TimeoutError(f"No {words!r} at {path}.")
        time.sleep(PAUSE)


def _commands(port: int, other: int) -> dict[str, tuple[list[str | Path], bool]]:
    """The command of each subject, and whether it is Vite's site that it serves."""
    flask: list[str | Path] = [sys.executable, "../flask_alone.py", "--app", "wsgi", "run", "--port", str(port)]
    dev: list[str | Path] = [
        Path(sys.executable).with_name("miniapp"),
        "dev",
        "--port",
        str(port),
        "--sandbox-port",
        str(other),
    ]
    vite: list[str | Path] = [
        "node",
        ROOT / "bench/node_modules/vite/bin/vite.js",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--strictPort",
    ]
    return {
        FLASK: (flask, False),
        DEBUG: ([*flask, "--debug"], False),
        DEV: (dev, False),
        PHONES: (dev, False),
        VITE: (vite, True),
    }


def _starts(project: Path, site: Path, rounds: int, progress: Progress) -> Table:
    def subject(name: str) -> Callable[[], float]:
        def first_page() -> float:
            port, other = _free_port(), _free_port()
            command, is_vite = _commands(port, other)[name]
            began = time.monotonic()
            with _running(command, site if is_vite else project) as process:
                if name == PHONES:
                    _until(process, other, "/", "sandbox-token", "onechat.localhost")
                else:
                    _until(process, port, "/", "main.js" if is_vite else "oc.js")
                return time.monotonic() - began

        return first_page

    # What one start leaves for the next, as on a working day: the project's state, bytecode, Vite's cache.
    names = (FLASK, DEBUG, DEV, PHONES, VITE)
    for name in names:
        subject(name)()
    notes = {
        FLASK: "the starter, 401 page",
        DEBUG: "the same, with Flask's reloader: two processes, one after the other",
        DEV: "the starter, 401 page; with sandbox, Prosody and reload",
        PHONES: "the sandbox's host page",
        VITE: "index.html with one module",
    }
    rows = interleaved({name: subject(name) for name in names}, rounds, progress)
    return Table(
        "The first page",
        "Seconds from the command to the first page served, for the starter as `miniapp new` makes it. The page is "
        "asked for every 5 ms. Not the very first start: the project's state, Python's bytecode and Vite's cache are "
        "there.",
        "s",
        False,
        [replace(row, note=notes[row.name]) for row in rows],
        FLASK,
        "at most twice `flask run`",
    )


# --- an edit ---


class _Edits:
    """Edits one file again and again; each makes `what-1`, `what-2` … of what was there before."""

    def __init__(self, file: Path, what: str) -> None:
        self.file = file
        self.what = what
        self.number = 0

    def next(self) -> str:
        """Make the edit; returns what the page then has to show."""
        text = self.file.read_text()
        old, new = f"{self.what}-{self.number}", f"{self.what}-{self.number + 1}"
        self.number += 1
        self.file.write_text(_with(text, old, new))
        return new


def _edits(project: Path, site: Path, rounds: int, progress: Progress) -> list[Table]:
    debugged = project.with_name("debugged")
    shutil.copytree(project, debugged, ignore=shutil.ignore_patterns(".onechat"))
    with ExitStack() as stack:
        port, phones, debug_port, vite_port = (_free_port() for _ in range(4))
        flask = stack.enter_context(_running(_commands(debug_port, 0)[DEBUG][0], debugged))
        dev = stack.enter_context(_running(_commands(port, phones)[DEV][0], project))
        vite = stack.enter_context(_running(_commands(vite_port, 0)[VITE][0], site))
        _until(flask, debug_port, "/mark", "template-0")
        _until(dev, port, "/mark", "template-0")
        _until(dev, phones, "/", "sandbox-token", "onechat.localhost")
        _until(vite, vite_port, "/", "main.js")
        browser = stack.enter_context(chromium())
        frame = _phone(browser, phones)
        vite_page = _tab(browser)
        vite_page.goto(f"http://127.0.0.1:{vite_port}/")

        def shown(edits: _Edits, where: Page | FrameLocator) -> Callable[[], float]:
            where.get_by_text(f"{edits.what}-0").wait_for()

            def edited() -> float:
                time.sleep(SETTLE)
                began = time.monotonic()
                where.get_by_text(re.compile(rf"{edits.next()}\b")).wait_for()
                return time.monotonic() - began

            return edited

        def served(edits: _Edits) -> Callable[[], float]:
            def edited() -> float:
                time.sleep(SETTLE)
                began = time.monotonic()
                _until(flask, debug_port, "/mark", edits.next())
                return time.monotonic() - began

            return edited

        tables = []
        for title, mine, theirs in (
            ("An edit of a template", ("templates/mark.html", "template"), ("index.html", "template")),
            ("An edit of Python", ("wsgi.py", "python"), ("main.js", "script")),
        ):
            subjects = {
                DEBUG: served(_Edits(debugged / mine[0], mine[1])),
                DEV: shown(_Edits(project / mine[0], mine[1]), frame),
                VITE: shown(_Edits(site / theirs[0], theirs[1]), vite_page),
            }
            rows = interleaved(subjects, rounds, progress)
            notes = {
                DEBUG: "until the new page is served: it reloads none in a browser",
                DEV: "until Chromium shows it on the phone, logged in",
                VITE: f"{theirs[0]}: until Chromium shows it, after a full reload",
            }
            tables.append(
                Table(
                    title,
                    "Seconds from the write of the file until the change is there. All three run all the time; "
                    "one edit follows another after a pause.",
                    "s",
                    False,
                    [replace(row, note=notes[row.name]) for row in rows],
                    DEBUG,
                    "less than half a second over Flask's own reload",
                )
            )
        return tables


def _tab(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(SECONDS * 1000)
    return page


def _phone(browser: Browser, port: int) -> FrameLocator:
    """The starter on a phone of the sandbox, logged in."""
    page = _tab(browser)
    page.goto(f"http://onechat.localhost:{port}/?phones=alice")
    return page.get_by_test_id("phone-0").frame_locator("iframe")  # `miniapp dev` opens its app at the start
