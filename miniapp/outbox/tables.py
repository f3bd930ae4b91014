"""The ledger's tables.

`bulk` is one send to many, `item` one recipient of it, `gate` the one row that all workers ask before they send.
Times are Unix time: those that workers act on by `Dialect.now`, those that people read by `Dialect.clock`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
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
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

HEAD = "0003"
"""The latest migration; `migrations/versions/` has them all."""


@dataclass(frozen=True)
class Dialect:
    """The SQL in which SQLite and Postgres differ. There is one object of each, so statements can be cached by it."""

    clock: ColumnElement[float]
    """The database's clock, as a part of a statement. It may jump: use it for people, not for leases and waits."""
    among: Callable[[ColumnElement[int], str], ColumnElement[bool]]
    """Whether a column is in a list of numbers, given as one parameter: so the statement's text stays the same."""

    @cached_property
    def now(self) -> ColumnElement[float]:
        """The ledger's time, as a part of a statement, which reads it once. `clock.py` keeps it from jumping."""
        return select(self.clock + gate.c.skew).correlate(None).scalar_subquery()


DIALECTS = {
    "sqlite": Dialect(
        # 2440587.5 is the Julian day of 1970-01-01. `unixepoch('subsec')` came with SQLite 3.42, Debian 12 has 3.40.
        literal_column("(julianday('now') - 2440587.5) * 86400.0", Float(53)),
        lambda column, name: column.in_(select(func.json_each(bindparam(name, type_=JSON)).table_valued("value"))),
    ),
    "postgresql": Dialect(
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
    Column("owner", Text, nullable=False),  # the JID of the user who may watch the progress, or ""
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
    Column("kind", String(6), nullable=False),  # user, group, domain
    Column("jid", Text, nullable=False),
    Column("state", String(12), nullable=False),  # queued, leased, sending; sent, refused, unknown
    Column("due", Float(53), nullable=False),  # when it may be sent
    Column("lease", Float(53)),  # when a worker's hold on it ends; set while leased or sending, and only then
    Column("worker", String(32), nullable=False, default=""),  # who held it last
    Column("attempts", Integer, nullable=False, default=0),
    Column("unknown_attempts", Integer, nullable=False, default=0),  # attempts whose outcome is unknown
    Column("answer", Text, nullable=False, default=""),  # the host's words, or ours if there was no answer
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
