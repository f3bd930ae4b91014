"""Builds the JavaScript bundles before a wheel is made of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILD = Path("miniapp/sandbox/static/build")
BUNDLES = (BUILD / "host.js", BUILD / "ocwp/ocwp.js")


class Bundles(BuildHookInterface):
    """Runs `scripts/build-js` if the bundles are missing; an sdist carries them, so installing it needs no Node."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install takes them from the tree whenever they are there; scripts/setup builds them.
        missing = [bundle for bundle in BUNDLES if not Path(self.root, bundle).is_file()]
        if version == "editable" or not missing:
            return
        if shutil.which("npm") is None:
            raise RuntimeError(f"{missing[0]} is missing, and so is npm, which builds it: install Node 20 or later.")
        self.app.display_info("Building the JavaScript bundles")
        subprocess.run([Path(self.root, "scripts/build-js")], check=True)
