"""Builds the JavaScript bundles before a wheel is made of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path("miniapp/sandbox/static/build/host.js")


class Bundles(BuildHookInterface):
    """Runs `scripts/build-js` if the bundles are missing; an sdist carries them, so installing it needs no Node."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install takes them from the tree whenever they are there; scripts/setup builds them.
        if version == "editable" or Path(self.root, BUNDLE).is_file():
            return
        if shutil.which("npm") is None:
            raise RuntimeError(f"{BUNDLE} is missing, and so is npm, which builds it: install Node 20 or later.")
        self.app.display_info("Building the JavaScript bundles")
        subprocess.run([Path(self.root, "scripts/build-js")], check=True)
