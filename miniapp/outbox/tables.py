"""The ledger's tables, and how a database is opened: durable on SQLite, current on either kind.

`bulk` is one send to many, `item` one recipient of it, `gate` the one row that all workers ask before they send.
Times are Unix time. Those that workers act on are by `Kind.now`, those that people read by `Kind.clock`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    any_,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ..errors import ConfigurationError, LedgerError, Problem
from . import placement

HEAD = "0002"
"""The latest migration; `migrations/versions/` has them all."""
BUSY = 30.0
"""Seconds to wait for SQLite's one writer: accepting 100,000 recipients holds it for one or two."""
MIGRATING = 6_652_663
"""The number of Postgres's advisory lock under which one process migrates while the others wait; any number does."""


@dataclass(frozen=True)
class Kind:
    """What the two kinds of database say differently. There is one object of each, so statements can be kept by it."""

    clock: ColumnElement[float]
    """The database's clock, as a part of a statement. It may jump: for people, not for leases and waits."""
    among: Callable[[ColumnElement[int], str], ColumnElement[bool]]
    """Whether a column is in the list of numbers that is the parameter of a name: one parameter, however long it is,
    since with one for each number the statement would be written and read anew each time."""

    @cached_property
    def now(self) -> ColumnElement[float]:
        """The ledger's time, as a part of a statement, which reads it once. `clock.py` keeps it from jumping."""
        return select(self.clock + gate.c.skew).correlate(None).scalar_subquery()


KINDS = {
    "sqlite": Kind(
        # 2440587.5 is the Julian day of 1970-01-01. `unixepoch('subsec')` came with SQLite 3.42, Debian 12 has 3.40.
        literal_column("(julianday('now') - 2440587.5) * 86400.0", Float(53)),
        lambda column, name: column.in_(select(func.json_each(bindparam(name, type_=JSON)).table_valued("value"))),
    ),
    "postgresql": Kind(
        cast(func.extract("epoch", func.clock_timestamp()), Float(53)),
        lambda column, name: column == any_(bindparam(name, type_=ARRAY(BigInteger))),
    ),
}

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows by INTEGER alone

bulk = Table(
    "outbox_bulk",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("key", String(255), unique=True),
    Column("digest", String(64), nullable=False),  # of text, policy and recipients: whether a key means the same again
    Column("text", Text, nullable=False),
    Column("policy", String(8), nullable=False),
    Column("owner", Text, nullable=False),  # the JID of who may watch the progress, or ""
    Column("state", String(12), nullable=False, index=True),  # running, paused, cancelled, done
    Column("note", Text, nullable=False, default=""),  # why a worker paused it
    Column("total", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("done_at", Float(53)),
    sqlite_autoincrement=True,  # no ID is given twice, even after its bulk was deleted
)

item = Table(
    "outbox_item",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("bulk", ForeignKey(bulk.c.id, ondelete="CASCADE"), nullable=False),
    Column("jid", Text, nullable=False),
    Column("state", String(12), nullable=False),  # queued, leased, sending; sent, refused, unknown
    Column("due", Float(53), nullable=False),  # not to be sent before
    Column("lease", Float(53)),  # when a worker's hold on it ends; set while leased or sending, and only then
    Column("worker", String(32), nullable=False, default=""),  # who held it last
    Column("attempts", Integer, nullable=False, default=0),
    Column("doubts", Integer, nullable=False, default=0),  # attempts of which nobody knows what came
    Column("answer", Text, nullable=False, default=""),  # the host's words, or ours about the lack of them
    Column("at", Float(53)),  # when the state last became a final one
    UniqueConstraint("bulk", "jid"),
    Index(None, "bulk", "state", "due", "id"),
)
Index(
    "ix_outbox_item_lease",
    item.c.lease,
    sqlite_where=item.c.lease.isnot(None),
    postgresql_where=item.c.lease.isnot(None),
)

gate = Table(
    "outbox_gate",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("tokens", Float(53), nullable=False),
    Column("filled_at", Float(53), nullable=False),
    Column("failures", Integer, nullable=False),  # calls in a row that did not reach the host
    Column("opens_at", Float(53), nullable=False),
    Column("skew", Float(53), nullable=False, server_default="0"),  # seconds that correct the database's clock
)


class Database:
    """An open database, its tables up to date. `read` and `write` begin transactions; both share one pool.

    `url` is `sqlite:///path` or `postgresql://…`. Raises `ConfigurationError` if it is neither, or lacks its driver,
    and `LedgerError` if it does not answer.
    """

    def __init__(self, url: str) -> None:
        self.read = _engine(url)
        self.write = self.read.execution_options(write=True)
        self.is_sqlite = self.read.dialect.name == "sqlite"
        self.kind = KINDS[self.read.dialect.name]
        self.failures: tuple[type[Exception], ...] = (DBAPIError,)
        """What is raised where the database fails."""
        try:
            with self.write.begin() as connection, placement.explained(connection):
                self._migrate(connection)
                if not self.is_sqlite:
                    cluster = _cluster()
                    cluster.prepare(connection)
                    self.failures += (cluster.ConnectorException,)
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
        self.read.dispose()

    def _migrate(self, connection: Connection) -> None:
        # SQLite's transaction is the only writing one already.
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATING})
            placement.prepare(connection)
        version = _version(connection)
        if version == HEAD:
            return
        if version is None:
            placement.check_free(connection)
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


def _cluster() -> Any:
    try:
        from . import cluster
    except ModuleNotFoundError as error:
        raise _without(error.name) from None
    return cluster


def _without(package: str | None) -> ConfigurationError:
    fix = "Install it: pip install 'onechat-miniapp[cluster]'"
    return ConfigurationError([Problem("ONECHAT_OUTBOX_URL", f"needs {package}.", fix)])


def _version(connection: Connection) -> str | None:
    table = placement.VERSION_TABLE
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
        connection.execute(placement.SEARCH_PATH)
        connection.commit()

    return engine


def _sqlite(path: str, url: Any) -> Engine:
    try:
        # Texts and JIDs are nobody else's to read; SQLite gives its other files the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        fix = "Name a file in a directory that this process may write to."
        what = f"names a file that can't be opened ({error.strerror})."
        raise ConfigurationError([Problem("ONECHAT_OUTBOX_URL", what, fix)]) from None
    arguments = {"timeout": BUSY, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)  # in no log: texts and JIDs

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # those who read don't wait for the one who writes
        connection.execute("PRAGMA synchronous = FULL")  # committed means on the disk, not on its way there
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A transaction that first reads and then writes would fail, not wait, if another wrote in between.
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
