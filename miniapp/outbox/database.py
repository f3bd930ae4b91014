"""Opening the ledger's database: durable on SQLite, its tables up to date on either kind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ..errors import ConfigurationError, LedgerError, Problem
from . import schema
from .tables import DIALECTS, HEAD

BUSY = 30.0
"""Seconds to wait for SQLite's one writer: accepting 100,000 recipients holds it for one or two."""
MIGRATING = 6_652_663
"""The number of Postgres's advisory lock under which one process migrates while the others wait; any number does."""


class Database:
    """An open database, its tables up to date. `read` and `write` begin transactions; both share one pool.

    `url` is `sqlite:///path` or `postgresql://…`. Raises `ConfigurationError` if it is neither, or lacks its driver,
    and `LedgerError` if it does not answer.
    """

    def __init__(self, url: str) -> None:
        self.read = _engine(url)
        self.write = self.read.execution_options(write=True)
        self.is_sqlite = self.read.dialect.name == "sqlite"
        self.dialect = DIALECTS[self.read.dialect.name]
        self.failures: tuple[type[Exception], ...] = (DBAPIError,)
        """The exceptions that mean that the database failed."""
        try:
            with self.write.begin() as connection, schema.explained(connection):
                self._migrate(connection)
                if not self.is_sqlite:
                    jobs = _jobs()
                    jobs.prepare(connection)
                    self.failures += (jobs.ConnectorException,)
        except BaseException as error:
            self.close()
            if not isinstance(error, DBAPIError):
                raise
            raise self.failed(error) from None

    def failed(self, error: Exception) -> LedgerError:
        """Return the error that says what `error` means and what to do, without the words of a server."""
        hint = "Check that it runs, and that ONECHAT_OUTBOX_URL is its address."
        cause = getattr(error, "orig", error)
        why = type(cause).__name__  # a server's own words could name its users
        if self.is_sqlite:
            hint = "Make room, put a copy in the file's place, or name another file with ONECHAT_OUTBOX_URL."
            why = f"{self.read.url.database}: {cause}"
        if "database is locked" in str(cause):
            hint = f"Another process has written to it for {BUSY:g} s: a shell, say. End that, and try again."
        return LedgerError(f"The outbox's database can't be used ({why}).", hint=hint)

    @property
    def connections(self) -> int:
        """The number of open connections, idle ones too."""
        pool: Any = self.read.pool
        return int(pool.checkedin() + pool.checkedout())

    def release(self) -> None:
        """Close the connections, unless one is in use."""
        pool: Any = self.read.pool
        if not pool.checkedout():
            self.read.dispose()

    def close(self) -> None:
        """Close all connections."""
        self.read.dispose()

    def _migrate(self, connection: Connection) -> None:
        # SQLite's transaction is the only writing one already.
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATING})
            schema.prepare(connection)
        version = _version(connection)
        if version == HEAD:
            return
        if version is None:
            schema.check_free(connection)
        from alembic import command  # takes a while to load, and is needed once in a database's life
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise LedgerError(
                "The outbox's database was made by a newer version of onechat-miniapp.",
                hint="Update onechat-miniapp here; an older version would not know what the tables mean.",
            ) from None


def _jobs() -> Any:
    try:
        from . import jobs
    except ModuleNotFoundError as error:
        raise _without(error.name) from None
    return jobs


def _without(package: str | None) -> ConfigurationError:
    fix = "Install it: pip install 'onechat-miniapp[cluster]'"
    return ConfigurationError([Problem("ONECHAT_OUTBOX_URL", f"needs {package}.", fix)])


def _version(connection: Connection) -> str | None:
    table = schema.VERSION_TABLE
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(select(text("version_num")).select_from(text(table))).scalar()


def _engine(url: str) -> Engine:
    try:
        where = make_url(url)
        if where.get_backend_name() == "postgresql":
            return _postgres(where.set(drivername="postgresql+psycopg"))
        if where.get_backend_name() == "sqlite" and where.database not in (None, "", ":memory:"):
            return _sqlite(where.database or "", where.set(drivername="sqlite"))
    except (ArgumentError, NoSuchModuleError):
        pass
    except ModuleNotFoundError as error:
        raise _without(error.name) from None
    fix = "Write sqlite:///path/to/outbox.db or postgresql://user:password@machine/name."
    raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", "names no SQLite file and no Postgres.", fix)])


def _postgres(url: Any) -> Engine:
    # pre_ping: the server may have been restarted since the connection was last used
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "connect", insert=True)  # before SQLAlchemy asks for the default schema
    def _on_connect(connection: Any, _: object) -> None:
        connection.execute(schema.SEARCH_PATH)
        connection.commit()

    return engine


def _sqlite(path: str, url: Any) -> Engine:
    try:
        # Texts and JIDs are private. SQLite gives its other files the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        fix = "Name a file in a directory that this process may write to."
        what = f"names a file that can't be opened ({error.strerror})."
        raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", what, fix)]) from None
    arguments = {"timeout": BUSY, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)  # in no log: texts and JIDs

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # readers don't wait for the writer
        connection.execute("PRAGMA synchronous = FULL")  # committed means on the disk
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A transaction that first reads and then writes would fail, not wait, if another wrote in between.
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
