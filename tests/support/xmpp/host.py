"""A sandbox over a Prosody of its own, and XMPP clients of other makers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.prosody import Prosody
from miniapp.testing.controls import Controls
from support.xmpp.friend import Friend, Loop


class Host:
    """Hold one sandbox over XMPP: its `controls`, REST API, and `friend(jid)`, which logs in another client."""

    def __init__(self, server: SandboxServer, loop: Loop) -> None:
        self.server = server
        self.sandbox = server.sandbox
        self.network: Any = server.sandbox.network
        self.prosody: Prosody = self.network.relay._server
        self.controls = Controls(server.url, server.token)
        self._loop = loop
        self.friends: list[Friend] = []
        app = self.controls.add_app(
            name="Lunch", icon="http://localhost/i.svg", url="http://localhost/", admin=f"admin@{server.sandbox.domain}"
        )
        self._key = app["apiKey"]

    def api(self, call: str, **body: str) -> dict[str, str]:
        """Make one call of OneChat's REST API, as the app "Lunch"."""
        answer = self.controls.session.post(
            f"{self.server.url}/onechat/api/{call}", json=body, headers={"apikey": self._key}, timeout=20
        )
        assert answer.json()["status"] == "Success", answer.text
        return dict(answer.json())

    def friend(self, jid: str, password: str | None = None) -> Friend:
        password = password or self.controls.call("POST", f"/_sandbox/users/{jid}/password")["password"]
        friend = Friend(self._loop, jid, password, self.network.relay._server.settings.c2s_port)
        self.friends.append(friend.login())
        return friend

    def type(self, jid: str, thread: str, text: str) -> dict[str, Any]:
        """Send a message that the person typed on the phone."""
        return dict(self.controls.call("POST", f"/phones/{jid}/messages", {"thread": thread, "text": text}))

    def shown(self, jid: str, thread: str | None = None) -> list[str]:
        """Return the messages on the phone of `jid`."""
        found = self.controls.call("GET", f"/phones/{jid}/messages", thread=thread, limit=200)
        return [message["text"] for message in found]

    def sent_on(self) -> bool:
        """Return whether all messages have gone to the server."""
        return not self.sandbox.store.stanzas.waiting(1)

    def close(self) -> None:
        for friend in self.friends:
            friend.logout()
        self.controls.session.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def start(loop: Loop) -> Iterator[Callable[..., Host]]:
    """Start sandboxes over XMPP, and stop them at the end."""
    hosts: list[Host] = []

    def begin(**config: Any) -> Host:
        server = SandboxServer(SandboxConfig(**{"xmpp": "prosody", **config})).start()
        hosts.append(Host(server, loop))
        return hosts[-1]

    yield begin
    for host in hosts:
        host.close()
        host.server.stop()


@pytest.fixture
def host(start: Callable[..., Host], tmp_path: Path) -> Host:
    return start(xmpp_directory=tmp_path / "xmpp")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Return a directory that Prosody's user can reach: `tmp_path` is not reachable where tests run as root."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)
