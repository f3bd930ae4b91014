"""The tables, and the one way to use them: a transaction at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, ForeignKey, Index, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import NullPool

from ...errors import MiniAppError
from .checkpoints import LOG_PAGES, PAGE, Checkpoints

BEGIN = "BEGIN IMMEDIATE"  # who reads first and then writes would fail if another wrote between
SCHEMA = 5  # SQLite's user_version; raise it with every change of the tables below


class Base(DeclarativeBase):
    pass


class UserRow(Base):
    __tablename__ = "users"
    jid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    avatar: Mapped[str]
    admin: Mapped[bool]


class AppRow(Base):
    __tablename__ = "apps"
    app_id: Mapped[str] = mapped_column(primary_key=True)
    key_digest: Mapped[bytes]
    name: Mapped[str]
    icon: Mapped[str]
    url: Mapped[str]
    admin: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[float]


class SessionRow(Base):
    """A session: found by the ID's `handle`, which is no secret, and checked by the digest of the whole."""

    __tablename__ = "sessions"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(index=True)
    digest: Mapped[bytes]
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), index=True)
    app_id: Mapped[str | None] = mapped_column(ForeignKey(AppRow.app_id, ondelete="CASCADE"))
    created_at: Mapped[float]
    expires_at: Mapped[float]
    revoked: Mapped[bool] = mapped_column(default=False)


class GroupRow(Base):
    __tablename__ = "groups"
    jid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]


class MemberRow(Base):
    __tablename__ = "members"
    group: Mapped[str] = mapped_column(ForeignKey(GroupRow.jid, ondelete="CASCADE"), primary_key=True)
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True)


class MessageRow(Base):
    __tablename__ = "messages"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never used again, not even after a reset
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    sender: Mapped[str]
    sender_name: Mapped[str]
    app_id: Mapped[str | None]  # of the mini app whose backend sent it by the REST API
    to: Mapped[str]
    text: Mapped[str]
    at: Mapped[float]


class DeliveryRow(Base):
    """A message in one user's history. The primary key is what makes it arrive exactly once."""

    __tablename__ = "deliveries"
    __table_args__ = {"sqlite_with_rowid": False}  # the key is the table: a page less to write for each
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey(MessageRow.id, ondelete="CASCADE"), primary_key=True)
    thread: Mapped[str]


Index("deliveries_by_thread", DeliveryRow.jid, DeliveryRow.thread, DeliveryRow.message_id)


class ReadRow(Base):
    """Up to which message a user has read a thread."""

    __tablename__ = "reads"
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[int]


class PasswordRow(Base):
    """A user's password for chat clients, as a digest."""

    __tablename__ = "passwords"
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes]


class StanzaRow(Base):
    """A message on its way to, or from, an XMPP server. The key is what makes it one message however often it comes."""

    __tablename__ = "stanzas"
    __table_args__ = {"sqlite_with_rowid": False}
    key: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey(MessageRow.id, ondelete="CASCADE"), index=True)
    stanza_id: Mapped[str]
    state: Mapped[str]
    upto: Mapped[str] = mapped_column(default="")


# The few that wait, however many have been sent.
Index("stanzas_waiting", StanzaRow.message_id, sqlite_where=StanzaRow.state != "settled")


class PositionRow(Base):
    """How far an archive of the XMPP server has been read: a user's, a group's or, with no owner, none from before."""

    __tablename__ = "positions"
    owner: Mapped[str] = mapped_column(primary_key=True)
    archive_id: Mapped[str | None]
    since: Mapped[float]


class Database:
    """An SQLite database at `path`, or in memory.

    Transactions run one at a time, on one connection: SQLite has one writer anyway, and to borrow a connection from a
    pool takes longer than most of what is done with it.
    """

    def __init__(self, path: str | Path | None) -> None:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        url = URL.create("sqlite", database=None if path is None else str(path))
        engine = create_engine(url, poolclass=NullPool, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        self._connection = engine.connect()
        self._sessions = sessionmaker(self._connection, expire_on_commit=False)
        self._lock = threading.Lock()
        with self._connection.begin():
            connection = self._connection
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
            if version not in (0, SCHEMA):
                raise MiniAppError(
                    "The sandbox's database was made by another version.",
                    hint=f"Delete {path} and start again.",
                    code="database",
                )
            Base.metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")
        self._checkpoints = None if path is None else Checkpoints(Path(path))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end, or undone if the block raises."""
        with self._lock, self._sessions.begin() as session:
            yield session

    @contextmanager
    def driver(self) -> Iterator[sqlite3.Connection]:
        """The same on SQLite's own interface, for what every message needs: SQLAlchemy takes ten times as long."""
        with self._lock:
            driver = driver_of(self._connection)
            driver.execute(BEGIN)
            try:
                yield driver
                driver.commit()
            except BaseException:
                driver.rollback()
                raise

    def empty(self) -> None:
        """Delete every row."""
        with self.transaction() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())

    def close(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.stop()
        self._connection.close()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """What is below `connection`, in the same transaction."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions late, and not before a SELECT
    for pragma in (
        f"page_size = {PAGE}",
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        f"wal_autocheckpoint = {LOG_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    driver_of(connection).execute(BEGIN)
