"""The tables, and the one way to use them: a transaction at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, ForeignKey, Index, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import NullPool

from ...errors import Code, MiniAppError
from .records import Conflict

BEGIN = "BEGIN IMMEDIATE"  # who reads first and then writes would fail if another wrote between
SCHEMA = 8  # SQLite's user_version. Raise it with every change of the tables below, and add a step to migrations/
OLDEST = 4  # the first schema that the steps begin with


class Base(DeclarativeBase):
    pass


class UserRow(Base):
    __tablename__ = "users"
    jid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    avatar: Mapped[str]
    admin: Mapped[bool]


Index("users_by_name", UserRow.name, UserRow.jid)
Index("admins_by_name", UserRow.name, UserRow.jid, sqlite_where=UserRow.admin.is_(True))


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
    expires_at: Mapped[float] = mapped_column(index=True)
    revoked: Mapped[bool] = mapped_column(default=False)


class GroupRow(Base):
    __tablename__ = "groups"
    jid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]


class MemberRow(Base):
    __tablename__ = "members"
    group: Mapped[str] = mapped_column(ForeignKey(GroupRow.jid, ondelete="CASCADE"), primary_key=True)
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True, index=True)


class InvitationRow(Base):
    """An invitation to a group. `answer` is yes, no or, until there is one, nothing; `at` is when that changed."""

    __tablename__ = "invitations"
    __table_args__ = {"sqlite_with_rowid": False}
    jid: Mapped[str] = mapped_column(ForeignKey(UserRow.jid, ondelete="CASCADE"), primary_key=True)
    group: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str]
    at: Mapped[float]
    answer: Mapped[str]


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
    """A message on its way to an XMPP server. The key is what makes it one message however often it comes back."""

    __tablename__ = "stanzas"
    __table_args__ = {"sqlite_with_rowid": False}
    key: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey(MessageRow.id, ondelete="CASCADE"), index=True)
    stanza_id: Mapped[str]
    state: Mapped[str]
    upto: Mapped[str] = mapped_column(default="")


# The few that wait, however many have been sent.
Index("stanzas_waiting", StanzaRow.message_id, sqlite_where=StanzaRow.state != "settled")


class HeardRow(Base):
    """A message of another client, as the archive of `owner` has it: a user or a group. Messages may share a key."""

    __tablename__ = "heard"
    __table_args__ = {"sqlite_with_rowid": False}
    owner: Mapped[str] = mapped_column(primary_key=True)
    archive_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey(MessageRow.id, ondelete="CASCADE"), index=True)


class PositionRow(Base):
    """How far an archive of the XMPP server has been read: a user's, a group's or, with no owner, none from before."""

    __tablename__ = "positions"
    owner: Mapped[str] = mapped_column(primary_key=True)
    archive_id: Mapped[str | None]
    since: Mapped[float]


class Database:
    """An SQLite database at `path`, or in memory.

    Transactions run one at a time, on one connection: SQLite has one writer anyway, and to borrow a connection from a
    pool takes longer than most of what is done with it. Raises `MiniAppError` with the code `database` if the file
    can't be used, at the start or later.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._path = None if path is None else Path(path)
        self._lock = threading.RLock()
        self._outer: Session | None = None
        self._generation = 0
        self._caller = threading.local()
        self._engine = create_engine(
            URL.create("sqlite", database=None if path is None else str(path)),
            poolclass=NullPool,
            connect_args={"check_same_thread": False},
        )
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self._path, f"{error.strerror}", _access(self._path)) from None
        self._open()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session whose work is committed at the end, or undone if the block raises.

        Within another transaction of the same thread it is a part of that one.
        """
        with self._lock, self._readable():
            self._refuse_stale()
            if self._outer is not None:
                yield self._outer
                self._outer.flush()
                return
            with self._sessions.begin() as session:
                self._outer = session
                try:
                    yield session
                finally:
                    self._outer = None

    @contextmanager
    def driver(self) -> Iterator[sqlite3.Connection]:
        """Yield a cursor of SQLite's own, for what every message needs: SQLAlchemy takes ten times as long."""
        with self._lock, self._readable():
            self._refuse_stale()
            driver = driver_of(self._connection)
            driver.execute(BEGIN)
            try:
                yield driver
                driver.commit()
            except BaseException:
                driver.rollback()
                raise

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Delete every row and run the block, in one transaction. Tasks begun earlier are refused from then on."""
        with self._lock:
            with self.transaction() as session:
                for table in reversed(Base.metadata.sorted_tables):
                    session.execute(table.delete())
                yield
            self._generation += 1
            if hasattr(self._caller, "since"):
                self._caller.since = self._generation  # the caller that empties the database goes on

    def enter(self) -> None:
        """Begin a task in this thread: its transactions raise `Conflict` once the database was emptied."""
        self._caller.since = self._generation

    def leave(self) -> None:
        """End the task that `enter` began, if there is one."""
        vars(self._caller).pop("since", None)

    def restore(self) -> None:
        """Write the database to its file again if that was removed. Raises `MiniAppError` if it was replaced."""
        with self._lock:
            if self._path is None or (found := _identity(self._path)) == self._file:
                return
            if found is not None:
                raise _unusable(self._path, "another file was put in its place", "Start the sandbox again to use it.")
            before = self._connection
            with self._readable():
                for name in ("-wal", "-shm"):  # of the removed file, whose connection still has them open
                    self._path.with_name(self._path.name + name).unlink(missing_ok=True)
                with closing(sqlite3.connect(self._path)) as fresh:
                    driver_of(before).backup(fresh)
            self._open()
            before.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _open(self) -> None:
        with self._readable():
            self._connection = self._engine.connect()
            try:
                self._sessions = sessionmaker(self._connection, expire_on_commit=False)
                with self._connection.begin():
                    self._migrate(self._check())
            except BaseException:
                self._connection.close()
                raise
        self._file = None if self._path is None else _identity(self._path)

    def _check(self) -> int:
        """Return the file's schema, 0 if it is new. Raises `MiniAppError` if the file can't be used."""
        version: int = self._connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
        if version != 0 and not OLDEST <= version <= SCHEMA:
            age = "a newer" if version > SCHEMA else "an older"
            raise MiniAppError(
                f"The sandbox's database {self._path} was made by {age} version of onechat-miniapp.",
                hint=f"Use that version. Or move the file away and start again: {BEGINS}",
                code=Code.DATABASE,
            )
        if self._connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            raise _unusable(self._path, "it is damaged", DAMAGED)
        return version

    def _migrate(self, version: int) -> None:
        if version == SCHEMA:
            return
        if version == 0:
            Base.metadata.create_all(self._connection)
        else:
            from alembic import command  # takes a while to load, and is needed once after an update
            from alembic.config import Config

            config = Config()
            config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
            config.attributes["connection"] = self._connection
            command.stamp(config, str(version), purge=True)  # user_version counts, whatever Alembic's table says
            command.upgrade(config, "head")
            self._connection.exec_driver_sql("DROP TABLE alembic_version")
        self._connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")

    def _refuse_stale(self) -> None:
        if getattr(self._caller, "since", self._generation) != self._generation:
            raise Conflict("The sandbox was reset while this was under way.", hint="Do it again.")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn SQLite's errors into `MiniAppError`: which file, why, and what to do."""
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, sqlite3.Error) as error:
            raise self._explained(cast(sqlite3.Error, getattr(error, "orig", error))) from error

    def _explained(self, error: sqlite3.Error) -> MiniAppError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return _unusable(self._path, "it is damaged, or no database", DAMAGED)
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return _unusable(self._path, str(error), "Make room on its disk (df -h shows it) and start again.")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return _unusable(self._path, str(error), "Stop the other program that uses it and start again.")
        return _unusable(self._path, str(error), _access(self._path))


BEGINS = "without a file, the sandbox starts with its seed."
DAMAGED = f"Move the file away, or put a copy in its place, and start again: {BEGINS}"


def _unusable(path: Path | None, why: str, hint: str) -> MiniAppError:
    return MiniAppError(
        f"The sandbox's database {path or 'in memory'} can't be used: {why}.", hint=hint, code=Code.DATABASE
    )


def _access(path: Path | None) -> str:
    return f"Make it and its folder writable for this user (ls -ld {path and path.parent} {path} shows whose they are)."


def _identity(path: Path) -> tuple[int, int] | None:
    """Identify the file at `path` by device and inode, None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return what is below `connection`, in the same transaction."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _on_connect(connection: Any, _record: object) -> None:
    connection.create_function("casefold", 1, str.casefold, deterministic=True)  # SQLite's lower() knows ASCII only
    connection.isolation_level = None  # the driver would begin transactions late, and not before a SELECT
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    driver_of(connection).execute(BEGIN)
