"""A sandbox on Prosody with an app and one user's password, and as many further users as are asked for.

`python -m bench.sandboxhost [USERS]` prints it as JSON and stays until its standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.store import Store
from miniapp.testing.controls import Controls

DOMAIN = "onechat.localhost"
FIRST, LAST = "aaa", "zzz"  # in the order of a broadcast


def crowd(store: Store, users: int) -> None:
    """`users` people more, all at once: one by one, 100,000 take a minute."""
    names = [FIRST, *(f"crowd{number:06}" for number in range(users - 2)), LAST]
    rows = ((f"{name}@{store.domain}", name, "data:image/svg+xml,", False) for name in names)
    with store._database.driver() as c:
        c.executemany("INSERT INTO users (jid, name, avatar, admin) VALUES (?, ?, ?, ?)", rows)


def main(users: int) -> None:
    with TemporaryDirectory() as directory:
        database = Path(directory) / "sandbox.db"
        store = Store(database, domain=DOMAIN)
        crowd(store, max(users, 2))
        store.close()
        serve(SandboxConfig(xmpp="prosody", domain=DOMAIN, database=database))


def serve(config: SandboxConfig) -> None:
    with SandboxServer(config) as server:
        sandbox = server.sandbox
        network: Any = sandbox.network
        controls = Controls(server.url, server.token)
        app = controls.add_app(
            name="Lunch", icon="http://localhost/i.svg", url="http://localhost/", admin=f"admin@{sandbox.domain}"
        )
        people = {
            name: {
                "jid": f"{name}@{sandbox.domain}",
                "password": controls.call("POST", f"/_sandbox/users/{name}@{sandbox.domain}/password")["password"],
            }
            for name in (FIRST, LAST)
        }
        settings = network.relay._server.settings
        print(
            json.dumps(
                {
                    "port": server.port,
                    "key": app["apiKey"],
                    "c2s": settings.c2s_port,
                    "prosody": network.relay._server.pid,
                    "domain": sandbox.domain,
                    **people,
                }
            ),
            flush=True,
        )
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
