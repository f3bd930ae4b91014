"""WebKit's own browser, driven by WebKitWebDriver."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from support.waiting import SECONDS, until

BROWSER = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), Path("MiniBrowser"))
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # what WebDriver calls a reference to an element

# The host page and ocwp are made of components: looks into their shadow roots too.
_DEEP = """
  const deep = (selector, root = document) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const one of root.querySelectorAll("*")) {
      const inner = one.shadowRoot && deep(selector, one.shadowRoot);
      if (inner) return inner;
    }
    return null;
  };
"""


class MiniBrowser:
    """Drive one window. Scripts run in the page, or in the frame that was entered last."""

    def __init__(self, url: str, http: requests.Session) -> None:
        self._url, self._http = url, http

    def call(self, path: str, body: dict[str, Any]) -> Any:
        """Send one WebDriver command."""
        answer = self._http.post(f"{self._url}/{path}", json=body, timeout=SECONDS)
        value = answer.json()["value"]
        if not answer.ok:
            raise RuntimeError(f"{value['error']}: {value['message']}")
        return value

    def goto(self, url: str) -> None:
        """Open `url`."""
        self.call("url", {"url": url})

    def run(self, script: str, *args: Any) -> Any:
        """Run `script` as an async function's body, with `deep(selector)`. Return its result."""
        body = (
            f"const done = arguments[arguments.length - 1]; {_DEEP}; (async (...args) => {{ {script} }})(...arguments)"
        )
        return self.call("execute/async", {"script": f"{body}.then(done, (e) => done(String(e)))", "args": list(args)})

    def until(self, condition: str) -> Any:
        """Wait until `condition` is true. Return its value."""
        return _until(lambda: self.run(f"return {condition}"))

    def click(self, selector: str) -> None:
        """Click what `selector` finds, once it is there and can be clicked."""
        self.until(f"!!deep({selector!r}) && !deep({selector!r}).disabled")
        self.run(f"deep({selector!r}).click()")

    def enter(self, selector: str) -> None:
        """Enter the frame that `selector` finds, once it is there."""

        def switch() -> bool:
            self.leave()
            frame = self.call("execute/sync", {"script": f"{_DEEP} return deep({selector!r})", "args": []})
            self.call("frame", {"id": {_ELEMENT: frame[_ELEMENT]}})
            return bool(self.run("return location.href !== 'about:blank'"))

        _until(switch)

    def type(self, selector: str, text: str) -> None:
        """Type `text` into what `selector` finds, as with keys; "\ue007" is Enter."""
        self.until(f"!!deep({selector!r})")
        field = self.call("execute/sync", {"script": f"{_DEEP} return deep({selector!r})", "args": []})
        self.call(f"element/{field[_ELEMENT]}/value", {"text": text})

    def leave(self) -> None:
        """Go back to the page."""
        self.call("frame", {"id": None})


def _until(look: Callable[[], Any]) -> Any:
    # Until then the page, its frame or the driver is not there.
    return until(look, ignore=(RuntimeError, TypeError, requests.ConnectionError))


def _free_port() -> int:
    # The driver does not say which port it took when it is told to take any.
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def minibrowser(environment: Mapping[str, str], *arguments: str) -> Iterator[MiniBrowser]:
    """Start MiniBrowser with `arguments`, for instance `--enable-itp`."""
    port = _free_port()
    driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"], env=dict(environment))
    with requests.Session() as http:
        http.trust_env = False
        root = f"http://127.0.0.1:{port}"
        try:
            _until(lambda: http.get(f"{root}/status", timeout=SECONDS).ok)
            options = {"binary": str(BROWSER), "args": ["--automation", *arguments]}
            wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options, "acceptInsecureCerts": True}}
            answer = http.post(f"{root}/session", json={"capabilities": wanted}, timeout=SECONDS).json()["value"]
            browser = MiniBrowser(f"{root}/session/{answer['sessionId']}", http)
            browser.call("timeouts", {"script": int(SECONDS * 1000)})
            yield browser
            http.delete(f"{root}/session/{answer['sessionId']}", timeout=SECONDS)  # ends the browser
        finally:
            driver.terminate()
            driver.wait(30)
