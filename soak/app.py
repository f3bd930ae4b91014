"""A script and a mini app's view that add bulks to the ledger during a soak, which kills them."""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event

from flask import Flask
from gunicorn.app.wsgiapp import run as gunicorn

from miniapp import LedgerError, MiniApp
from miniapp.outbox import Outbox
from miniapp.settings import Settings
from support.waiting import until

SIZE = 500
"""Number of recipients of one bulk."""
AHEAD = 3000
"""Number of messages that may wait: with a limit, bulks are accepted during the whole soak, not all at its start."""


def send(outbox: Outbox, source: str, number: int) -> None:
    """Send bulk `number` of `source`, under its key. Every other one has the policy `resend`."""
    recipients = (f"{source}-{number}-{n}@onechat.net" for n in range(SIZE))
    outbox.send(recipients, "Hi", key=f"{source}-{number}", policy="resend" if number % 2 else "hold")


def wait_for_room(outbox: Outbox) -> None:
    """Wait until at most `AHEAD` messages wait."""

    def has_room() -> bool:
        return sum(progress.waiting for progress in outbox.list(20)) <= AHEAD

    until(has_room, math.inf, ignore=LedgerError)  # while Postgres is killed


def create_app() -> Flask:
    """Make a mini app whose one view accepts a bulk."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.urandom(16)
    miniapp = MiniApp(app, env_file=None)

    @app.post("/send/<int:number>")
    def view(number: int) -> str:
        send(miniapp.outbox, "web", number)
        return str(os.getpid())

    return app


def enqueue(first: int, end: int) -> None:
    """Send the script's bulks with these numbers."""
    mine = Outbox(Settings.read({}, Path(".env")))
    for wanted in range(first, end):
        while True:
            wait_for_room(mine)
            # Whether it was accepted is unknown then: under its key it can be sent again.
            with suppress(LedgerError):
                send(mine, "script", wanted)
                break


if __name__ == "__main__":
    time.sleep = Event().wait  # under libfaketime the real one fails
    if sys.argv[1] == "web":
        sys.argv = ["gunicorn", "--bind", "127.0.0.1:0", "soak.app:create_app()"]
        gunicorn()
    else:
        enqueue(int(sys.argv[1]), int(sys.argv[2]))
