"""The ledger beside an app's own tables: no tool that tends the app's tables touches it, and an old one moves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    NullPool,
    Table,
    create_engine,
    inspect,
    make_url,
    select,
    text,
)

import miniapp.outbox
from miniapp.errors import MiniAppError
from miniapp.outbox import include_object
from miniapp.outbox import schema as schemas
from miniapp.outbox.jobs import QUEUE
from miniapp.outbox.tables import item
from support.commands import PATIENCE
from support.countinghost import Stub
from support.ledgers import Make, drain, people
from support.postgres import Postgres

LONG = 120.0  # seconds for a command of Flask's that takes a few: it loads Alembic and Flask-SQLAlchemy

SHOP = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from miniapp.outbox import include_object

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["SHOP_URL"]
db = SQLAlchemy(app)

class Order(db.Model):
    __tablename__ = "orders"
    id = db.Column(db.Integer, primary_key=True)

Migrate(app, db, **({"include_object": include_object} if os.environ["SHOP_HELPER"] else {}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The app's database, which is the outbox's too."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    server: Postgres = request.getfixturevalue("server")
    server.empty()
    return server.url


def engine_of(url: str) -> Any:
    where = make_url(url)
    driver = "sqlite" if where.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return create_engine(where.set(drivername=driver), poolclass=NullPool)


only_postgres = pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.system)], indirect=True)


def test_flask_migrate_leaves_the_ledger_alone(kind: str, url: str, make: Make, host: Stub, tmp_path: Path) -> None:
    """`flask db migrate` and `upgrade` change the app's own tables alone, and every message still goes out."""
    bulk = make().send(people(3), "Hi", key="k")
    (tmp_path / "shop.py").write_text(SHOP)
    where = url.replace("postgresql:", "postgresql+psycopg:")
    env = {**os.environ, "FLASK_APP": "shop", "SHOP_URL": where, "SHOP_HELPER": "1" if kind == "sqlite" else ""}
    for args in (["init"], ["migrate"], ["upgrade"]):
        line = [sys.executable, "-m", "flask", "db", *args]
        done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 0, done.stdout + done.stderr
    [step] = (tmp_path / "migrations" / "versions").glob("*.py")
    changes = [line.strip() for line in step.read_text().splitlines() if "op." in line]
    assert changes == ["op.create_table('orders',", "op.drop_table('orders')"]
    outbox = make()
    assert not outbox.send(people(3), "Hi", key="k").new
    assert drain(outbox, bulk.id).sent == 3
    with engine_of(url).connect() as connection:
        assert inspect(connection).has_table("orders")


@only_postgres
def test_what_an_app_reflects_is_its_own(url: str, make: Make) -> None:
    """Reflecting and dropping all tables of an app's default schema leaves the ledger whole on Postgres."""
    outbox = make()
    bulk = outbox.send(people(3), "Hi")
    engine = engine_of(url)
    reflected = MetaData()
    reflected.reflect(engine)
    assert reflected.tables == {}
    reflected.drop_all(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), MetaData()) == []
    assert outbox.progress(bulk.id).queued == 3


def test_the_helper_leaves_the_apps_own_tables_in(url: str, make: Make) -> None:
    """The helper hides the ledger's tables alone: a table of the app's models is compared, also under such a name."""
    make().database  # noqa: B018 # opens it
    models = MetaData(schema=None if url.startswith("sqlite") else "shop")
    Table("outbox_order", models, Column("id", Integer, primary_key=True))
    if not url.startswith("sqlite"):
        Table("outbox_item", models, Column("id", Integer, primary_key=True))
    options: dict[str, Any] = {"include_object": include_object, "include_schemas": True}
    with engine_of(url).begin() as connection:
        if models.schema:
            connection.execute(text("CREATE SCHEMA shop"))
        context = MigrationContext.configure(connection, opts=options)
        found = {(difference[0], difference[1].name) for difference in compare_metadata(context, models)}
        assert found == {("add_table", table.name) for table in models.tables.values()}
        models.create_all(connection)
        assert compare_metadata(MigrationContext.configure(connection, opts=options), models) == []
        gone = compare_metadata(MigrationContext.configure(connection, opts=options), MetaData())
        assert {(name, table.name) for name, table in gone} == {
            ("remove_table", t.name) for t in models.tables.values()
        }


def test_a_table_of_the_apps_that_has_a_name_of_ours(kind: str, url: str, make: Make) -> None:
    """On Postgres it stands beside the ledger's; in one SQLite file it can't, and the error says what to do."""
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE outbox_item (id INTEGER PRIMARY KEY, name TEXT)"))
        connection.execute(text("INSERT INTO outbox_item VALUES (1, 'parcel')"))
    outbox = make()
    if kind == "sqlite":
        with pytest.raises(MiniAppError, match=r"table outbox_item .* database of its own") as caught:
            outbox.send(people(1), "Hi")
        assert caught.value.code == "outbox_database"
    else:
        assert drain(outbox, outbox.send(people(1), "Hi").id).sent == 1
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM outbox_item")).scalars().all() == ["parcel"]


# --- a ledger that an earlier version made in the default schema ---


def migrate(connection: Connection, revision: str) -> None:
    """Make the ledger as it was at `revision`."""
    config = Config()
    config.set_main_option("script_location", str(Path(miniapp.outbox.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def old_ledger(url: str, *, apps_own: bool = False) -> None:
    """Makes the ledger where earlier versions did, with a bulk of three and a job for it.

    `apps_own`: Procrastinate's objects were there before, the app's, with a job of the app's in them.
    """
    with engine_of(url).connect() as connection:
        jobs = "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('{0}', '{0}')"
        if apps_own:
            connection.connection.driver_connection.execute(SchemaManager.get_schema())  # type: ignore[union-attr]
            connection.execute(text(jobs.format("shop")))
            connection.commit()
        migrate(connection, "0001")
        if not apps_own:
            connection.connection.driver_connection.execute(SchemaManager.get_schema())  # type: ignore[union-attr]
        connection.execute(
            text(
                "INSERT INTO outbox_bulk (key, digest, text, policy, owner, state, note, total, created_at)"
                " VALUES ('old', '', 'Hi', 'hold', '', 'running', '', 3, 0)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO outbox_item (bulk, jid, state, due, worker, attempts, doubts, answer)"
                " SELECT 1, unnest(CAST(:jids AS text[])), 'queued', 0, '', 0, 0, ''"
            ),
            {"jids": people(3)},
        )
        connection.execute(text(jobs.format(QUEUE)))
        connection.commit()


def test_an_older_ledger_learns_the_kinds_of_its_recipients(make: Make, url: str) -> None:
    """A ledger of the version before has users, groups and domains told apart, and keeps its unknown attempts."""
    with engine_of(url).connect() as connection:
        migrate(connection, "0002")
        connection.execute(
            text(
                "INSERT INTO outbox_bulk (id, digest, text, policy, owner, state, note, total, created_at)"
                " VALUES (1, '', 'Hi', 'hold', '', 'paused', '', 3, 0)"
            )
        )
        for doubts, jid in enumerate(("u@onechat.net", "g-1@muc.onechat.net", "onechat.net")):
            connection.execute(
                text(
                    "INSERT INTO outbox_item (bulk, jid, state, due, worker, attempts, doubts, answer)"
                    " VALUES (1, :jid, 'queued', 0, '', 0, :doubts, '')"
                ),
                {"jid": jid, "doubts": doubts},
            )
        connection.commit()
    with make().database.read.begin() as connection:
        rows = connection.execute(select(item.c.kind, item.c.jid, item.c.unknown_attempts).order_by(item.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("user", "u@onechat.net", 0),
        ("group", "g-1@muc.onechat.net", 1),
        ("domain", "onechat.net", 2),
    ]


def objects(url: str, schema: str) -> set[str]:
    """Returns the names of the tables, types and functions in a schema that are the outbox's or Procrastinate's."""
    kinds = {"pg_class": "rel", "pg_type": "typ", "pg_proc": "pro"}
    found: set[str] = set()
    with psycopg.connect(url) as connection:
        for table, short in kinds.items():
            query = (
                f"SELECT {short}name FROM {table} JOIN pg_namespace n ON n.oid = {short}namespace WHERE nspname = %s"
            )
            found |= {name for (name,) in connection.execute(query, [schema]).fetchall()}
    return found


@only_postgres
@pytest.mark.parametrize("schema", ["public", "the shop"])
def test_an_old_ledger_moves(url: str, make: Make, host: Stub, schema: str) -> None:
    """What an earlier version left in the default schema is all in the outbox's own schema, and is sent."""
    if schema != "public":
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{schema}"')
            connection.execute(f'ALTER ROLE miniapp SET search_path = "{schema}", public')
    try:
        old_ledger(url)
        before = objects(url, schema)
        outbox = make()
        assert outbox.progress(1).queued == 3
        assert objects(url, schema) == set()
        assert before <= objects(url, schemas.SCHEMA)
        with outbox.database.read.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 1
        assert outbox.send(people(1), "Ho").id == 2
        stop = threading.Event()
        worker = threading.Thread(target=outbox.work, args=(stop,))
        worker.start()
        assert list(outbox.watch(1, PATIENCE))[-1].sent == 3
        stop.set()
        worker.join(PATIENCE)
        assert host.count == 4
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER ROLE miniapp RESET search_path")


@only_postgres
def test_the_apps_own_procrastinate_stays(url: str, make: Make) -> None:
    """Where the app uses Procrastinate too, its objects and jobs stay, and the outbox makes its own."""
    old_ledger(url, apps_own=True)
    outbox = make()
    outbox.send(people(1), "Ho")
    assert outbox.progress(1).queued == 3
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'shop'").fetchone() == (
            1,
        )
    assert "procrastinate_jobs" in objects(url, schemas.SCHEMA)
    assert not any(name.startswith("outbox_") for name in objects(url, "public"))


@only_postgres
@pytest.mark.parametrize("old", [True, False])
def test_processes_that_start_at_once_move_it_once(url: str, make: Make, old: bool) -> None:
    """Six processes that open the ledger at the same moment all find it, moved or made once."""
    if old:
        old_ledger(url)
    found: list[object] = []
    together = threading.Barrier(6)

    def start() -> None:
        outbox = make()
        together.wait(PATIENCE)
        try:
            found.append([progress.queued for progress in outbox.list()])
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [[3] if old else []] * 6


@only_postgres
def test_a_ledger_in_use_is_not_waited_for_forever(url: str, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process of the earlier version holds the tables, the error says to stop it; nothing is half moved."""
    monkeypatch.setattr(schemas, "LOCK_WAIT", 1)
    old_ledger(url)
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM outbox_item")
        with pytest.raises(MiniAppError, match="Stop the workers"):
            make().list()
    assert [progress.queued for progress in make().list()] == [3]


@only_postgres
def test_a_second_ledger_is_told_of(url: str, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A process of the earlier version that starts after the move makes a new ledger: the log says that it waits."""
    make().list()
    old_ledger(url, apps_own=True)
    make().list()
    assert "public has a second ledger" in caplog.text
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE outbox_bulk SET state = 'done'")
    caplog.clear()
    make().list()
    assert caplog.text == ""


@only_postgres
@pytest.mark.parametrize("case", ["no schema", "no use", "not the owner"])
def test_a_right_that_is_missing(url: str, make: Make, case: str) -> None:
    """A role that may not make or use the schema is told what to grant; with that it works."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE app LOGIN")
        if case == "no use":
            admin.execute(f"CREATE SCHEMA {schemas.SCHEMA}")
        if case == "not the owner":
            old_ledger(url)
            admin.execute("GRANT CREATE ON DATABASE postgres TO app")
            admin.execute("GRANT USAGE ON SCHEMA public TO app")
            admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app")
        limited = url.replace("miniapp@", "app@", 1)
        with pytest.raises(MiniAppError) as caught:
            make(outbox_url=miniapp.settings.Secret(limited)).list()
        assert caught.value.code == "outbox_database"
        hint = caught.value.hint
        if case == "no schema":
            admin.execute('GRANT CREATE ON DATABASE "postgres" TO "app";')
            assert 'GRANT CREATE ON DATABASE "postgres" TO "app";' in hint
        elif case == "no use":
            admin.execute(f'GRANT USAGE, CREATE ON SCHEMA {schemas.SCHEMA} TO "app";')
            assert f'GRANT USAGE, CREATE ON SCHEMA {schemas.SCHEMA} TO "app";' in hint
        else:
            assert "must be owner of table outbox_" in caught.value.message
            assert 'OWNER TO "app"' in hint
            return
        assert make(outbox_url=miniapp.settings.Secret(limited)).list() == []
