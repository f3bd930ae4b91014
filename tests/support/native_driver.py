"""Drive the native container of `examples/`. Runs in Debian's own Python, as a child of native.py.

Reads commands as lines of JSON and answers each with a line of JSON: `{"value": …}` or `{"error": …}`.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "native_container"))

from container import HEIGHT, WIDTH, Container
from gi.repository import GLib, Gtk

# What the page logs; the driver can't read the console.
LOG = "window.logged = []; console.log = (...words) => window.logged.push(words.join(' '));"


class Driver:
    """Hold one window with one container at a time."""

    def __init__(self) -> None:
        self.window = Gtk.OffscreenWindow()
        self.window.set_default_size(WIDTH, HEIGHT)
        self.container: Container | None = None
        self.answers: dict[str, str] = {}
        self.asked: list[list[Any]] = []

    def open(self, url: str, profile: dict[str, Any], answers: dict[str, str], **options: Any) -> None:
        """Open `url` in a new container. `answers` has the code that the container runs for each function."""
        if self.container:
            self.container.view.destroy()
        self.answers, self.asked = answers, []
        self.container = Container(profile, self._answer, **options)
        self.container.view.get_settings().set_enable_write_console_messages_to_stdout(False)
        self.container.at_start(LOG)
        self.window.add(self.container.view)
        self.window.show_all()
        self.container.view.load_uri(url)
        say(value=None)

    def _answer(self, call: str, args: dict[str, Any]) -> str:
        self.asked.append([call, args])
        return self.answers.get(call, "")

    def evaluate(self, body: str) -> None:
        """Run `body` as an async function in the page, and answer with its result."""

        def done(view: Any, result: Any) -> None:
            try:
                said(value=json.loads(view.call_async_javascript_function_finish(result).to_json(0) or "null"))
            except GLib.Error as error:
                said(error=error.message)

        # While a page is being left its calls get no answer.
        answered = False

        def said(**answer: Any) -> None:
            nonlocal answered
            if not answered:
                answered = True
                say(**answer)

        self.container.view.call_async_javascript_function(body, -1, None, None, None, None, done)
        GLib.timeout_add_seconds(20, lambda: said(error="no answer") or GLib.SOURCE_REMOVE)

    def calls(self) -> None:
        """Answer with the calls that the container got."""
        say(value=self.asked)

    def screenshot(self, path: str) -> None:
        """Save a picture of the page."""
        self.window.get_pixbuf().savev(path, "png", [], [])
        say(value=None)


def say(**answer: Any) -> None:
    """Write one answer."""
    print(json.dumps(answer), flush=True)


def read(driver: Driver) -> None:
    """Hand each command to the main loop, until the input ends."""
    for line in sys.stdin:
        command = json.loads(line)
        GLib.idle_add(lambda c: getattr(driver, c.pop("do"))(**c) and GLib.SOURCE_REMOVE, command)
    GLib.idle_add(Gtk.main_quit)


threading.Thread(target=read, args=(Driver(),), daemon=True).start()
Gtk.main()
