"""Those who put bulks into the ledger during a soak, to be killed at it: a script of its own, and a mini app's view."""

from __future__ import annotations

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

SIZE = 500
"""Recipients of one bulk."""
AHEAD = 3000
"""Messages that may wait: so that bulks are accepted during the whole of the soak, not all at its start."""


def send(outbox: Outbox, source: str, number: int) -> None:
    """Bulk `number` of `source`, under its key; every other one is `resend`."""
    recipients = (f"{source}-{number}-{n}@onechat.net" for n in range(SIZE))
    outbox.send(recipients, "Hi", key=f"{source}-{number}", policy="resend" if number % 2 else "hold")


def wait_for_room(outbox: Outbox) -> None:
    while True:
        with suppress(LedgerError):  # Postgres is one of those who are killed
            if sum(progress.waiting for progress in outbox.list(20)) <= AHEAD:
                return
        time.sleep(0.1)


def create_app() -> Flask:
    """A mini app whose one view accepts a bulk."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.urandom(16)
    miniapp = MiniApp(app, env_file=None)

    @app.post("/send/<int:number>")
    def view(number: int) -> str:
        send(miniapp.outbox, "web", number)
        return str(os.getpid())

    return app


def enqueue(first: int, end: int) -> None:
    """Sends the script's bulks with these numbers."""
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
