"""On what a benchmark ran, and what in which version."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CORE = ("flask", "werkzeug", "flask-login", "requests", "urllib3", "gunicorn", "sqlalchemy", "psycopg", "procrastinate")
"""What this project itself stands on where it is measured."""
DEBIAN = ("wrk", "redis-server", "postgresql", "prosody", "ejabberd", "chromium")


def describe() -> dict[str, Any]:
    """The machine and its load just now: what is kept with a topic's figures."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "load": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
        "processor": model[1] if model else platform.machine(),
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "unknown",
        "kernel": platform.release(),
    }


def versions() -> dict[str, str]:
    """Everything that is measured, with the version that is installed here."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        peers = tomllib.load(file)["dependency-groups"]["bench"]
    names = [*CORE, *(re.split(r"[\[>=<]", peer)[0] for peer in peers)]
    found = {"Python": platform.python_version(), **{name: version(name) for name in names}}
    for name in DEBIAN:
        answer = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
        if answer.stdout:
            found[f"{name} (Debian)"] = answer.stdout
    if shutil.which("node"):
        found["Node"] = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    lock = ROOT / "bench" / "package-lock.json"
    if lock.exists():
        packages = json.loads(lock.read_text())["packages"]
        root = packages[""]
        for name in sorted({*root.get("dependencies", {}), *root.get("devDependencies", {})}):
            found[f"{name} (npm)"] = packages[f"node_modules/{name}"]["version"]
    return found
