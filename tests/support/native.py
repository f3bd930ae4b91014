"""A mini app in the native container of `examples/`, driven by a test; and a display for WebKit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.waiting import until

PYTHON = "/usr/bin/python3"  # Debian's own: it has GTK and WebKit


@contextmanager
def display() -> Iterator[dict[str, str]]:
    """Start an X server without a screen. Return the environment for programs that draw on it."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as number:
            where = f":{number.readline().strip()}"
        # No accessibility bus and no GPU in a container.
        yield {**os.environ, "DISPLAY": where, "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "no_proxy": "*"}
    finally:
        server.terminate()
        server.wait(30)


class Native:
    """Drive the container and the page in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _do(self, what: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": what, **arguments}), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def open(self, url: str, profile: dict[str, Any], answers: dict[str, str] | None = None, **options: Any) -> None:
        """Open `url` in a new container (`Container` in container.py has the options)."""
        self._do("open", url=url, profile=profile, answers=answers or {}, **options)

    def run(self, body: str) -> Any:
        """Run `body` as an async function in the page. Return its result."""
        return self._do("evaluate", body=body)

    def until(self, condition: str) -> Any:
        """Wait until `condition` is true in the page, which may load again meanwhile. Return its value."""
        return until(lambda: self.run(f"return {condition}"), ignore=RuntimeError)

    @property
    def text(self) -> str:
        """Return the text of the page."""
        return str(self.run("return document.body.innerText"))

    @property
    def calls(self) -> list[list[Any]]:
        """Return the calls that the container got: name and arguments."""
        return list(self._do("calls"))

    def screenshot(self, path: Path) -> None:
        """Save a picture of the page."""
        self._do("screenshot", path=str(path))


@contextmanager
def native_container(environment: dict[str, str]) -> Iterator[Native]:
    """Start Debian's Python with the container in it."""
    with subprocess.Popen(
        [PYTHON, Path(__file__).with_name("native_driver.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Native(process)
        finally:
            process.terminate()
