"""Procrastinate's jobs, which wake workers on any machine for a bulk in the ledger on Postgres.

A job only says that a bulk has something to send. The worker that runs it claims items like any other. So a lost or
doubled job does no harm: sweeps defer jobs as long as there is something to send.
"""

from __future__ import annotations

from typing import Any

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

from .schema import SCHEMA

__all__ = ["QUEUE", "TASK", "ConnectorException", "defer", "prepare"]

QUEUE = "miniapp_outbox"
TASK = "miniapp.outbox.drive"
SLICE = 250
"""Recipients for which one more job is deferred: a few seconds' work, so that short bulks don't wake every worker."""
JOBS_MAX = 32
"""Jobs waiting for one bulk: the number of workers that may send it at a time."""


def prepare(connection: Connection) -> None:
    """Make Procrastinate's tables if they are missing. Its documentation describes its own upgrades."""
    if connection.execute(text(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')")).scalar() is None:
        _driver(connection).execute(SchemaManager.get_schema())


def defer(connection: Connection, number: int, total: int) -> None:
    """Defer the jobs for the bulk `number` that are not waiting already, in the caller's transaction."""
    names = [f"{TASK}-{number}-{slot}" for slot in range(min(JOBS_MAX, -(-total // SLICE)))]
    waiting = text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:names)")
    there = set(connection.execute(waiting, {"names": names}).scalars())
    for name in names:
        if name not in there:
            job = _jobs.configure_task(TASK, queue=QUEUE, queueing_lock=name, connection=_driver(connection))
            job.defer(bulk=number)


_jobs = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())  # only defers on the connections it is given


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
