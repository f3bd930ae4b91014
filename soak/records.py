"""The results of the long runs, as JSON under `docs/reliability/`. `soak/reliability.py` makes a page of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs/reliability"


def write(name: str, **figures: Any) -> None:
    """Keep `figures`, and the day, as the record `name`, in place of an older one."""
    record = {"day": time.strftime("%Y-%m-%d", time.gmtime()), **figures}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def read(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())
