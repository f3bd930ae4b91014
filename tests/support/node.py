"""Node, for properties of the shim that need JavaScript (tests/unit/shim/check.mjs)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from support.paths import ROOT


class Node:
    """Run one process that answers jobs: `node(source=…)`."""

    def __enter__(self) -> Node:
        # a module is looked up from where the file lies; acorn is in js/
        code = (ROOT / "tests/unit/shim/check.mjs").read_text()
        self._process = subprocess.Popen(
            ["node", "--input-type=module", "--eval", code],
            cwd=ROOT / "js",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __call__(self, **job: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
