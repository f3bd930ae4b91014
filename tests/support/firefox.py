"""Debian's Firefox, driven over WebDriver BiDi by Node scripts, as Playwright drives only its own Firefox build."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.paths import ROOT

SECONDS = 120.0  # for Firefox to start, to do its task and to end, on a busy machine; alone it takes eight


class Firefox:
    """Hold a running script."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def seen(self) -> Any:
        """Return what the script prints at its end."""
        said, _ = self._process.communicate(timeout=SECONDS)
        assert self._process.returncode == 0
        return json.loads(said)


@contextmanager
def firefox(script: Path, **task: str) -> Iterator[Firefox]:
    """Run `script`, which reads `task` as a line of JSON."""
    # A module is looked up from where the file lies; puppeteer-core is in js/.
    with subprocess.Popen(
        ["node", "--input-type=module", "--eval", script.read_text()],
        cwd=ROOT / "js",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            print(json.dumps(task), file=process.stdin, flush=True)
            yield Firefox(process)
        finally:
            process.terminate()  # by which puppeteer ends Firefox, too
