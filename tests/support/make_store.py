"""Print a store of the current schema as SQL, for `stores/`. Run it before the next change of SCHEMA.

.venv/bin/python -m support.make_store > tests/support/stores/schema-N.sql
"""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from miniapp.sandbox.store import Store
from miniapp.sandbox.store.records import Sender
from support.people import DOMAIN

API_KEY = "key-of-a-store-that-tests-keep-000001"
BEGIN = 1795600000  # seconds since 1970: the dump is the same whenever it is made, but for secrets


def fill(path: Path) -> None:
    clock = itertools.count(BEGIN)
    store = Store(path, domain=DOMAIN, clock=lambda: float(next(clock)))
    alice, bob, carol = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))
    url = "http://localhost:5000/"
    app = store.apps.provide("app-3f9c2b7e5a10", API_KEY, name="Lunch", icon=url, url=url, admin=f"admin@{DOMAIN}")
    store.users.add("Frida Lund", f"frida@{DOMAIN}")
    store.sessions.issue(alice, app.app_id, 86400)
    host = Sender(f"alerts.{DOMAIN}", app.name, app.app_id)
    store.messages.direct(Sender(alice, "Alice Tan"), bob, "Lunch at 12:30?")
    store.messages.direct(Sender(bob, "Bob Rahman"), alice, "Yes.")
    store.messages.mark_read(alice, bob)
    store.messages.direct(Sender(bob, "Bob Rahman"), alice, "Where?")
    store.messages.group(Sender(carol, "Carol Lim"), f"lunch-100200@muc.{DOMAIN}", "Who is in?")
    store.messages.direct(host, alice, "Your table is ready.")
    store.messages.broadcast(host, "Soup today.")
    store.messages.relayed = True
    store.messages.direct(Sender(alice, "Alice Tan"), carol, "On its way to an XMPP server.")
    store.passwords.issue(alice)
    store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sandbox.sqlite3"
        fill(path)
        with closing(sqlite3.connect(path)) as connection:
            print(f"PRAGMA user_version = {connection.execute('PRAGMA user_version').fetchone()[0]};")
            print("\n".join(connection.iterdump()))


if __name__ == "__main__":
    main()
