"""A send as a Celery task, the broker on Redis: `BENCH_REDIS` is the broker's URL, `BENCH_HOST` the stub host's."""

from __future__ import annotations

import functools
import os

from celery import Celery
from celery.signals import worker_ready

from .clients import TEXT, miniapp

app = Celery("bench", broker=os.environ["BENCH_REDIS"])
app.conf.task_ignore_result = True
app.conf.worker_hijack_root_logger = False
client = functools.cache(lambda: miniapp(os.environ["BENCH_HOST"]))


@app.task  # type: ignore[untyped-decorator]
def send(jid: str) -> None:
    client().send_message(jid, TEXT)


@worker_ready.connect  # type: ignore[untyped-decorator]
def say_so(**_: object) -> None:
    print("ready", flush=True)  # its own word for it is at a log level that also tells of each task
