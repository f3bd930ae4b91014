"""Beyond one machine: Procrastinate's jobs wake workers, wherever they are, for what is in the ledger on Postgres.

A job only says that a bulk has something to send. Whoever runs it claims items like any other worker, so a job that is
lost, or there twice, does no harm: sweeps defer jobs as long as there is something to send.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from typing import TYPE_CHECKING, Any

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, make_url, select, text
from sqlalchemy.exc import DBAPIError

from . import ledger
from .clock import Clock, clamp
from .placement import SCHEMA, SEARCH_PATH
from .policy import backoff
from .tables import Database, bulk
from .worker import SWEEP, Worker

if TYPE_CHECKING:
    from .service import Outbox

log = logging.getLogger(__name__)

QUEUE = "miniapp_outbox"
TASK = "miniapp.outbox.drive"
SLICE = 250
"""Recipients for which one more job is deferred: a few seconds' work, so that short bulks don't wake everybody."""
JOBS_MAX = 32
"""Jobs that wait for one bulk: how many workers may see to the same one at a time."""
SLICE_SECONDS = 10.0
"""Seconds after which a job ends and the next one is taken, so that all bulks get their turn."""
STALLED = 60.0
"""Seconds without a sign of life after which a Procrastinate worker's jobs are thrown away; six of its heartbeats."""
POLL = 1.0
"""Seconds between looks for jobs: Procrastinate's listener is quicker, but does not outlive a restart of Postgres."""
STOP_LOOK = 0.1
"""Seconds between looks at whether to stop: a person who pressed Ctrl-C notices no less."""


def prepare(connection: Connection) -> None:
    """Makes Procrastinate's tables if they are not there. Its own upgrades are described in its documentation."""
    if connection.execute(text(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')")).scalar() is None:
        _driver(connection).execute(SchemaManager.get_schema())


def defer(connection: Connection, number: int, total: int) -> None:
    """Defers the jobs for a bulk that don't wait already, as a part of this transaction."""
    names = [f"{TASK}-{number}-{slot}" for slot in range(min(JOBS_MAX, -(-total // SLICE)))]
    waiting = text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:names)")
    there = set(connection.execute(waiting, {"names": names}).scalars())
    for name in names:
        if name not in there:
            job = _jobs.configure_task(TASK, queue=QUEUE, queueing_lock=name, connection=_driver(connection))
            job.defer(bulk=number)


_jobs = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())  # defers on given connections alone


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


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
        # Another sweep may be quicker: then its jobs do.
        with contextlib.suppress(AlreadyEnqueued), database.write.begin() as connection:
            defer(connection, number, total)


def work(outbox: Outbox, stop: threading.Event) -> None:
    """Runs a Procrastinate worker and a sweep until `stop` is set, through restarts of Postgres."""
    worker = outbox.worker()
    sweeper = threading.Thread(target=_sweep, args=(outbox.database, stop), name="miniapp-outbox-sweep")
    sweeper.start()
    failures = 0
    while not stop.is_set():
        try:
            asyncio.run(_serve(outbox.settings.outbox_url, worker, stop))
        except (ConnectorException, psycopg.Error, OSError) as error:
            failures += 1
            log.warning("Postgres failed (%s); trying again.", type(error).__name__)
            stop.wait(backoff(failures, first=0.5, most=5.0))  # as for a host that is down
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
    """Throws away the jobs of Procrastinate workers that are gone; the sweeps have deferred others."""
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
        stop.wait(SWEEP * random.uniform(0.5, 1.0))  # noqa: S311 # apart from other workers' sweeps, not hidden
