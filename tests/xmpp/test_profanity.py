"""profanity, an XMPP client of Debian's, in a terminal: what it shows and what it sends."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .host import ALICE, BOB, DOMAIN, LUNCH, Host

Eventually = Callable[..., None]


class Terminal:
    """A program in a tmux of its own."""

    def __init__(self, home: Path, *command: str) -> None:
        self._name = f"onechat-{secrets.token_hex(4)}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "screen"}
        self._env = environment
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "50", *command)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, *arguments], env=self._env, capture_output=True, text=True, check=True
        )
        return done.stdout

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    home = tmp_path / "home"
    home.mkdir()
    terminal = Terminal(home, "profanity")
    yield terminal
    terminal.close()


def test_profanity_gets_and_sends(host: Host, terminal: Terminal, eventually: Eventually) -> None:
    """Single, group and broadcast messages of a backend show in it; what is typed in it shows on the phones."""
    password = host.controls.call("POST", f"/_sandbox/users/{BOB}/password")["password"]
    eventually(lambda: "Profanity" in terminal.screen())
    terminal.type(f"/connect {BOB} server 127.0.0.1 port {host.prosody.ports.c2s} tls disable")
    eventually(lambda: "Enter password" in terminal.screen())
    terminal.type(password)
    eventually(lambda: "logged in successfully" in terminal.screen())

    host.api("singleMessage", jid=BOB, message="Your lunch is ready")
    host.api("massBroadcast", domain=DOMAIN, message="Fire drill at three")
    terminal.type(f"/msg alerts.{DOMAIN}")
    eventually(lambda: "Your lunch is ready" in terminal.screen() and "Fire drill at three" in terminal.screen())

    terminal.type(f"/join {LUNCH}")  # shows the group, which its bookmark has joined at the login
    eventually(lambda: "Lunch club" in terminal.screen())
    host.api("groupMessage", jid=LUNCH, message="Menus for everybody")
    eventually(lambda: "Lunch: Menus for everybody" in terminal.screen())
    terminal.type("thank you all")
    eventually(lambda: host.shown(ALICE, LUNCH) == ["Menus for everybody", "thank you all"])
    terminal.type("/win 1")
    terminal.type(f"/msg {ALICE} and you above all")
    eventually(lambda: host.shown(ALICE, BOB) == ["and you above all"])
    assert password not in terminal.screen()
