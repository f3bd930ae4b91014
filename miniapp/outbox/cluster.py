"""Workers on many machines: each runs Procrastinate's jobs from Postgres, and sweeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError

from . import ledger
from .clock import Clock, clamp
from .database import Database
from .jobs import QUEUE, TASK, defer
from .outcomes import backoff
from .schema import SEARCH_PATH
from .tables import bulk
from .worker import SWEEP, Worker

log = logging.getLogger(__name__)

SLICE_SECONDS = 10.0
"""Seconds after which a worker takes the next job, so that all bulks get their turn."""
STALLED = 60.0
"""Seconds without a sign of life after which a Procrastinate worker's jobs are thrown away; six of its heartbeats."""
POLL = 1.0
"""Seconds between looks for jobs: Procrastinate's listener is quicker, but does not outlive a restart of Postgres."""
STOP_LOOK = 0.1
"""Seconds between looks at whether to stop: a person who pressed Ctrl-C notices no less."""


def sweep(database: Database, clock: Clock | None = None) -> None:
    """Take over what dead workers held, and defer jobs for every bulk that has something to send.

    With a `clock`, first correct the ledger's time, and take nothing over until the clock was watched for a while.
    """
    count = 0
    with database.write.connect() as connection, clock.writing(connection) if clock else connection.begin():
        if clock is None or clock.watched:
            clamp(connection, database)
            count = ledger.sweep(connection, database)
    if count:
        log.warning("Took %d message(s) over from a worker that is gone.", count)
    with database.read.begin() as connection:
        numbers = [running.id for running in ledger.running(connection, database)]
        totals = connection.execute(select(bulk.c.id, bulk.c.total).where(bulk.c.id.in_(numbers))).all()
    for number, total in totals:
        # Another sweep may have deferred the same jobs just now.
        with contextlib.suppress(AlreadyEnqueued), database.write.begin() as connection:
            defer(connection, number, total)


def work(database: Database, url: str, worker: Worker, stop: threading.Event) -> None:
    """Run Procrastinate's jobs with `worker`, and sweep, until `stop` is set: through restarts of Postgres too."""
    sweeper = threading.Thread(target=_sweep, args=(database, stop), name="miniapp-outbox-sweep")
    sweeper.start()
    failures = 0
    while not stop.is_set():
        try:
            asyncio.run(_serve(url, worker, stop))
        except (ConnectorException, psycopg.Error, OSError) as error:
            failures += 1
            log.warning("Postgres failed (%s); trying again.", type(error).__name__)
            stop.wait(backoff(failures, first=0.5, limit=5.0))  # as for a host that is down
    sweeper.join()


async def _serve(url: str, worker: Worker, stop: threading.Event) -> None:
    where = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(conninfo=where, min_size=1, max_size=3, configure=_place)
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK, queue=QUEUE)
    def drive(bulk: int) -> None:
        worker.run(stop, only=bulk, seconds=SLICE_SECONDS, drain=True)

    async with app.open_async():
        running = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=1,
                delete_jobs="always",
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL,
            )
        )
        tidying = asyncio.create_task(_tidy(app))
        while not stop.is_set() and not running.done() and not tidying.done():
            await asyncio.sleep(STOP_LOOK)
        tidying.cancel()
        running.cancel()  # it ends once its job has
        results = await asyncio.gather(running, tidying, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _place(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute(SEARCH_PATH)
    await connection.commit()


async def _tidy(app: procrastinate.App) -> None:
    """Delete the jobs of Procrastinate workers that are gone. The sweeps have deferred others."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED):
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        await asyncio.sleep(STALLED)


def _sweep(database: Database, stop: threading.Event) -> None:
    clock = Clock(database)
    while not stop.is_set():
        try:
            sweep(database, clock)
        except (DBAPIError, ConnectorException) as error:
            log.warning("A sweep failed (%s); trying again.", type(error).__name__)
        stop.wait(SWEEP * random.uniform(0.5, 1.0))  # noqa: S311 # jitter between workers, no secret
