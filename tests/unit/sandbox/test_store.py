"""The store: kept in a file, seeded, reset."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from miniapp.errors import MiniAppError
from miniapp.sandbox.store import Store, tables
from miniapp.sandbox.store.records import Conflict, NotFound, Sender
from support.make_store import API_KEY
from support.paths import TESTS
from support.people import ADMIN, ALICE, BOB, LUNCH, OFFICE

DOMAIN = "onechat.localhost"
STORES = TESTS / "support/stores"
"""One store of each schema, as its version wrote it. `make_store.py` prints one."""


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Users, sessions, apps, keys, groups, messages and what was read are there after the file is opened again."""
    path = tmp_path / "deep" / "sandbox.db"
    first = Store(path, domain=DOMAIN)
    first.users.add("Frank Ho", f"frank@{DOMAIN}")
    first.users.remove(f"dave@{DOMAIN}")
    issued = first.sessions.issue(ALICE, None, 3600)
    app = first.apps.register(name="Lunch", icon="", url="", admin=ADMIN, status="approved")
    first.messages.direct(Sender(ALICE, "Alice Tan"), BOB, "hello")
    first.messages.mark_read(BOB, ALICE)
    first.messages.direct(Sender("alerts.onechat.localhost", "Lunch", app.app.app_id), BOB, "Hi")
    first.close()

    second = Store(path, domain=DOMAIN)
    jids = [user.jid for user in second.users.all()]
    assert f"frank@{DOMAIN}" in jids
    assert f"dave@{DOMAIN}" not in jids, "a store that is not empty is not seeded"
    assert second.sessions.check(ALICE, issued.session_id) == issued.session
    assert second.apps.by_key(app.api_key) == app.app
    assert [m.text for m in second.messages.history(BOB, None, None, 10)] == ["hello", "Hi"]
    assert [thread.unread for thread in second.messages.threads(BOB)] == [1, 0]
    assert [(one.call, one.text) for one in second.messages.sent()] == [("singleMessage", "Hi")]
    second.close()


def _schema(path: Path) -> set[tuple[str, ...]]:
    """The tables, columns and indexes of a store, whatever they were made with."""
    with closing(sqlite3.connect(path)) as connection:
        found = {("version", str(connection.execute("PRAGMA user_version").fetchone()[0]))}
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
            found.add((name, "without rowid" if "WITHOUT ROWID" in sql else ""))
            for column in connection.execute(f"PRAGMA table_info({name})"):
                found.add((name, *map(str, column[1:])))
            for key in connection.execute(f"PRAGMA foreign_key_list({name})"):
                found.add((name, *map(str, key[2:])))
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
        return found | {(name, " ".join(sql.split())) for name, sql in indexes}


@pytest.mark.parametrize("version", range(tables.OLDEST, tables.SCHEMA + 1))
def test_a_store_of_each_schema_is_brought_up_to_date(version: int, tmp_path: Path) -> None:
    """A project's sandbox keeps users, apps, keys, groups and messages, and has the tables of a new store."""
    path = tmp_path / "sandbox.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORES / f"schema-{version}.sql").read_text("utf-8"))
    for _ in range(2):  # the second time there is nothing left to do
        store = Store(path, domain=DOMAIN)
        assert "Frida Lund" in [user.name for user in store.users.all()]
        app = store.apps.by_key(API_KEY)
        assert app is not None
        assert [session.app_id for session in store.sessions.all()] == [app.app_id]
        assert {group.jid for group in store.messages.groups()} == {LUNCH, OFFICE}
        assert [message.text for message in store.messages.history(ALICE, None, None, 10)] == [
            "Lunch at 12:30?",
            "Yes.",
            "Where?",
            "Who is in?",
            "Your table is ready.",
            "Soup today.",
            "On its way to an XMPP server.",
        ]
        assert {thread.id: thread.unread for thread in store.messages.threads(ALICE)}[BOB] == 1
        assert [one.text for one in store.messages.sent("massBroadcast")] == ["Soup today."]
        assert [stanza.text for stanza in store.stanzas.waiting(10)] == ["On its way to an XMPP server."]
        store.close()
    fresh = tmp_path / "fresh.sqlite3"
    Store(fresh, domain=DOMAIN).close()
    assert _schema(path) == _schema(fresh)


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """All steps are one transaction: a store that can't be brought up to date can still be used by its version."""
    path = tmp_path / "sandbox.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORES / "schema-4.sql").read_text("utf-8"))
        connection.execute("CREATE TABLE users_by_name (x)")  # in the way of the last step
        connection.commit()
    before = _schema(path)
    with pytest.raises(MiniAppError):
        Store(path, domain=DOMAIN)
    assert _schema(path) == before


def test_reset_seeds_again_and_uses_no_message_id_twice() -> None:
    """After a reset only the seed is there, and ids go on rising, so that no page mistakes new for old."""
    store = Store(domain=DOMAIN)
    before, _ = store.messages.direct(Sender(ALICE, "Alice Tan"), BOB, "hello")
    store.users.add("Frank Ho")
    issued = store.sessions.issue(ALICE, None, 3600)
    store.reset()
    assert [user.name for user in store.users.all() if user.jid.startswith("frank")] == []
    assert store.sessions.check(ALICE, issued.session_id) is None
    assert store.messages.history(BOB, None, None, 10) == []
    assert {group.jid for group in store.messages.groups()} == {LUNCH, OFFICE}
    after, _ = store.messages.direct(Sender(ALICE, "Alice Tan"), BOB, "hello again")
    assert after.id > before.id
    store.close()


def test_a_seed_of_ones_own(tmp_path: Path) -> None:
    """Another TOML file decides who is there, on another domain."""
    seed = tmp_path / "seed.toml"
    seed.write_text(
        '[[users]]\nlocal = "zoë"\nname = "Zoë"\nadmin = true\n'
        '[[groups]]\nlocal = "g-1"\nname = "G"\nowner = "zoë"\nmembers = []\n',
        "utf-8",
    )
    store = Store(domain="chat.test", seed=seed)
    (user,) = store.users.all()
    assert (user.jid, user.admin) == ("zoë@chat.test", True)
    assert [group.jid for group in store.messages.groups()] == ["g-1@muc.chat.test"]
    store.close()


@pytest.mark.parametrize(
    "text", ["[[users]]\nlocal = 'a'", "[[users]]\nlocal = '@'\nname = 'A'", "users = 3", "=", "[[users]]\nlocal = 3"]
)
def test_a_seed_that_cant_be_used_says_why(tmp_path: Path, text: str) -> None:
    """A broken seed is one clear error that names the file."""
    seed = tmp_path / "seed.toml"
    seed.write_text(text, "utf-8")
    with pytest.raises(MiniAppError, match=r"seed\.toml can't be used"):
        Store(domain=DOMAIN, seed=seed)


def test_another_versions_database_is_refused(tmp_path: Path) -> None:
    """Tables of another shape are not touched; the error says what to do."""
    path = tmp_path / "sandbox.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(MiniAppError, match=r"sandbox\.db was made by a newer version.* move the file away"):
        Store(path, domain=DOMAIN)


def test_a_provided_app_is_approved_with_the_key_it_comes_with() -> None:
    """Provided again it has the new key and URL, and what the store knew of it besides."""
    store = Store(domain="onechat.localhost")
    given = {"name": "Lunch", "icon": "http://localhost/i.svg", "admin": "admin@onechat.localhost"}
    store.apps.provide("app-1", "first-key", url="http://localhost:1/", **given)
    store.apps.change("app-1", name="Dinner", status="pending")
    app = store.apps.provide("app-1", "second-key", url="http://localhost:2/", **given)
    assert (app.name, app.url, app.status) == ("Dinner", "http://localhost:2/", "approved")
    assert store.apps.by_key("second-key") == app
    assert store.apps.by_key("first-key") is None
    store.close()


def test_a_jid_is_made_from_a_name() -> None:
    """Without a JID a new user gets one from the name, numbered where it is taken."""
    store = Store(domain=DOMAIN)
    assert store.users.add("Émile d'Or").jid == f"emile.d.or@{DOMAIN}"
    assert store.users.add("Emile d'or").jid == f"emile.d.or2@{DOMAIN}"
    assert store.users.add("李").jid == f"user@{DOMAIN}"
    store.close()


def test_a_taken_jid_is_a_conflict() -> None:
    """Two users never share a JID."""
    store = Store(domain=DOMAIN)
    with pytest.raises(Conflict):
        store.users.add("Another Alice", ALICE)
    store.close()


def test_a_removed_user_leaves_nothing_behind() -> None:
    """Sessions, memberships and history go with the user; others keep what they were sent."""
    store = Store(domain=DOMAIN)
    issued = store.sessions.issue(BOB, None, 3600)
    store.messages.direct(Sender(BOB, "Bob Rahman"), ALICE, "bye")
    store.users.remove(BOB)
    assert store.sessions.check(BOB, issued.session_id) is None
    assert BOB not in store.messages.groups(ALICE)[0].members
    (thread,) = store.messages.threads(ALICE)
    assert (thread.id, thread.last.sender.name) == (BOB, "Bob Rahman")
    with pytest.raises(NotFound):
        store.users.remove(BOB)
    store.close()


def test_secrets_hide_in_reprs() -> None:
    """What carries a new key or session ID doesn't show it."""
    store = Store(domain=DOMAIN)
    issued = store.sessions.issue(BOB, None, 3600)
    app = store.apps.register(name="Lunch", icon="", url="", admin=ADMIN, status="approved")
    assert issued.session_id not in repr(issued)
    assert app.api_key not in repr(app)
    store.close()


def test_the_log_does_not_grow_with_what_is_written(tmp_path: Path) -> None:
    """SQLite starts its write-ahead log again after 1,000 pages, however many messages come."""
    path = tmp_path / "sandbox.db"
    store = Store(path, domain=DOMAIN)
    limit, text = 1000 * 4096, "x" * 4096
    for _ in range(2 * limit // len(text)):
        store.messages.direct(Sender(ALICE, "Alice"), BOB, text)
    assert path.with_name("sandbox.db-wal").stat().st_size < 1.1 * limit
    store.close()
