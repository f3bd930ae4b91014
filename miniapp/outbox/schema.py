"""Where the ledger stands beside an app's own tables: in a schema of its own on Postgres, by its names on SQLite."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from ..errors import LedgerError

log = logging.getLogger(__name__)

SCHEMA = "miniapp_outbox"
"""The schema on Postgres of the ledger's tables and of Procrastinate's objects. Alembic looks into the default one."""
SEARCH_PATH = f"SET search_path TO {SCHEMA}"
"""What each connection runs first. Procrastinate's functions name their tables without a schema."""
VERSION_TABLE = "outbox_version"
TABLES = (VERSION_TABLE, "outbox_bulk", "outbox_item", "outbox_gate")
LOCK_WAIT = 10
"""Seconds that a move waits for transactions on the old tables: a turn of a worker takes a few milliseconds."""

_RIGHTS, _NO_SCHEMA, _BUSY = "42501", "3F000", {"55P03", "40P01"}  # Postgres's SQLSTATEs


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Tell Alembic to leave the outbox's tables alone: an `include_object` for `context.configure` in `env.py`.

    Needed where the outbox is in the app's own SQLite file, or with `include_schemas=True`. Alembic calls it with an
    object of the database; False hides that. A table of the app's own models is compared whatever its name is.
    """
    if kind != "table" or not reflected or compare_to is not None:
        return True
    return thing.schema != SCHEMA and not (thing.schema is None and name in TABLES)


def prepare(connection: Connection) -> None:
    """Make the schema on Postgres, and move a ledger there that an earlier version made in the default schema.

    The caller holds the lock under which one process migrates.
    """
    if not _there(connection, f"to_regnamespace('{SCHEMA}')"):
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    old = _old(connection)
    if old and not _there(connection, f"to_regclass('{SCHEMA}.{VERSION_TABLE}')"):
        _move(connection, old)
    elif old and _waiting(connection, old):
        log.warning(
            "The schema %s has a second ledger, with messages that nothing sends: an earlier version of"
            " onechat-miniapp made it. Run that version's `miniapp worker --drain`, then drop its tables.",
            old,
        )


def check_free(connection: Connection) -> None:
    """Raise `LedgerError` if one of the names that the ledger needs is another table's."""
    for name in TABLES:
        if inspect(connection).has_table(name):
            raise LedgerError(
                f"The database has a table {name} that is not the outbox's.",
                hint="Give the outbox a database of its own: ONECHAT_OUTBOX_URL=sqlite:///outbox.db, say.",
            )


def _there(connection: Connection, what: str) -> bool:
    return connection.execute(text(f"SELECT {what} IS NOT NULL")).scalar_one() is True


def _old(connection: Connection) -> str | None:
    """Return the schema where an earlier version would look for its ledger, if there is one."""
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))  # the role's, the database's or the URL's own
    schema = connection.execute(
        text(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = to_regclass('outbox_version') AND n.nspname <> :ours"
            " AND has_table_privilege(c.oid, 'SELECT')"
            " AND (SELECT count(*) FROM pg_class t WHERE t.relnamespace = n.oid AND t.relname = ANY(:tables)) = 4"
        ),
        {"ours": SCHEMA, "tables": list(TABLES)},
    ).scalar()
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    return schema


def _waiting(connection: Connection, schema: str) -> bool:
    bulks = f"SELECT EXISTS (SELECT FROM {_quoted(schema)}.outbox_bulk WHERE state IN ('running', 'paused'))"  # noqa: S608
    return connection.execute(text(bulks)).scalar_one() is True


def _move(connection: Connection, schema: str) -> None:
    """Move the ledger here, and Procrastinate's objects if the ledger's own first use made them.

    The app may use Procrastinate itself, in which case the objects are the app's. Those that came into being in one
    transaction with the ledger are ours.
    """
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}s'"))
    ours = connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM pg_class g JOIN pg_class p ON p.relnamespace = g.relnamespace"
            " AND p.xmin = g.xmin WHERE g.relnamespace = to_regnamespace(:schema) AND g.relname = 'outbox_gate'"
            " AND p.relname = 'procrastinate_jobs')"
        ),
        {"schema": _quoted(schema)},
    ).scalar_one()
    moved = [("TABLE", f"{_quoted(schema)}.{name}") for name in TABLES]
    if ours:
        moved += [(row.kind, row.name) for row in connection.execute(text(_PROCRASTINATE), {"schema": _quoted(schema)})]
    for kind, name in moved:
        connection.execute(text(f"ALTER {kind} {name} SET SCHEMA {SCHEMA}"))
    log.warning("Moved the outbox's ledger from the schema %s to %s.", schema, SCHEMA)


_PROCRASTINATE = r"""
SELECT CASE relkind WHEN 'r' THEN 'TABLE' ELSE 'TYPE' END AS kind, quote_ident(nspname) || '.' || relname AS name
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relnamespace = to_regnamespace(:schema) AND relname LIKE 'procrastinate\_%' AND relkind IN ('r', 'c')
UNION ALL SELECT 'TYPE', quote_ident(nspname) || '.' || typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace
  WHERE typnamespace = to_regnamespace(:schema) AND typname LIKE 'procrastinate\_%' AND typtype = 'e'
UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_proc p
  WHERE pronamespace = to_regnamespace(:schema) AND proname LIKE 'procrastinate\_%'
ORDER BY kind  -- functions first: their names here hold those of types, which are about to change
"""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def explained(connection: Connection) -> Iterator[None]:
    """Turn Postgres's refusals into `LedgerError`s that say what to grant, or what to stop."""
    driver: Any = connection.connection.driver_connection
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        said = getattr(getattr(error.orig, "diag", None), "message_primary", None) or type(error.orig).__name__
        if state in (_RIGHTS, _NO_SCHEMA):
            user, name = _quoted(driver.info.user), _quoted(driver.info.dbname)
            hint = (
                f"As an administrator of the database, run: CREATE SCHEMA IF NOT EXISTS {SCHEMA};"
                f" GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {user};"
                f" or let the role make the schema: GRANT CREATE ON DATABASE {name} TO {user};"
                f" Tables of an existing ledger must be owned by {user} (ALTER TABLE … OWNER TO {user};)."
            )
            what = f"The outbox's role has not the rights that it needs on Postgres: {said}."
        elif state in _BUSY:
            hint = "Stop the workers and processes of the earlier version, then start this one again."
            what = f"The outbox's tables are in use and can't be moved to the schema {SCHEMA}."
        else:
            raise
        raise LedgerError(what, hint=hint) from None
