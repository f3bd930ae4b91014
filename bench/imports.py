"""Starting: imports.

`import miniapp` loads nothing else: a name's module is imported when it is first asked for. `from miniapp import
MiniApp` needs Flask, Flask-Login and requests; beyond them it costs our own modules and python-dotenv. There the
time goes into dataclasses, whose methods are compiled at each start. The one regular expression that took long, 3
ms for what XML allows, is compiled when it is needed.
"""

from __future__ import annotations

import subprocess
import sys

from .processes import ROOT
from .report import Progress, Row, Table

PEERS = "import flask, flask_login, requests"
SUBJECTS = (PEERS, "from miniapp import MiniApp", "import miniapp")
CODE = """
import time
began, spent = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - began, time.process_time() - spent)
"""


def measure(quick: bool, progress: Progress) -> list[Table]:
    rounds = 2 if quick else 25
    wall: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    processor: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        for name in SUBJECTS[number % 3 :] + SUBJECTS[: number % 3]:
            command = [sys.executable, "-c", CODE.format(name)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            seconds, spent = map(float, done.stdout.split())
            wall[name].append(seconds * 1000)
            processor[name].append(spent * 1000)
    how = "A fresh interpreter for each, its own start not counted; compiled files and the disk's cache are there."
    return [
        Table(title, how, "ms", False, [Row(*row) for row in rows.items()], PEERS, "1.15 or less.")
        for title, rows in (("Time of imports", wall), ("Processor time of imports", processor))
    ]
