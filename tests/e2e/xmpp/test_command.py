"""`--xmpp` of `miniapp sandbox` and `miniapp dev`."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miniapp.sandbox.config import HOST_NAME
from miniapp.sandbox.prosody import Prosody
from support.xmpp.host import Host

PATIENCE = 60
Run = Callable[..., "Command"]


class Command:
    """A command that runs until it is told to stop; `said` is its banner."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "miniapp", *arguments],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Stop" in line:
                break

    def prosody(self) -> int:
        """The process ID of the Prosody that this command started."""
        pid = self.process.pid
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        (found,) = [child for child in children if b"prosody.cfg.lua" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return found

    def end(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.said += self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[Command] = []

    def begin(*arguments: str) -> Command:
        started.append(Command(tmp_path, *arguments))
        return started[-1]

    yield begin
    for command in started:
        if command.process.poll() is None:
            command.end(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_prosody_comes_and_goes_with_the_command(run: Run, number: int) -> None:
    """By default messages go over Prosody; it ends with the command, however that ends."""
    command = run("sandbox", "--port", "0", "--data", "state")
    assert re.search(r"Network\s+XMPP, by Prosody", command.said), command.said
    prosody = command.prosody()
    watch = os.pidfd_open(prosody)
    code = command.end(number)
    assert select.select([watch], [], [], PATIENCE)[0]
    os.close(watch)
    assert code == (0 if number == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in command.said


def test_dev_runs_over_prosody(run: Run, tmp_path: Path) -> None:
    """`miniapp dev` says what carries the messages, and how other clients log in."""
    (tmp_path / "wsgi.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    command = run("dev", "--port", "0", "--sandbox-port", "0", "--xmpp", "prosody")
    assert re.search(r"Network\s+XMPP, by Prosody", command.said), command.said
    assert re.search(r"XMPP clients\s+127\.0\.0\.1 port \d+, without TLS", command.said), command.said
    assert re.search(r"XMPP passwords\s+http://\S+/portal/users", command.said), command.said
    assert command.end(signal.SIGINT) == 0


def test_the_portal_says_how_clients_log_in(host: Host) -> None:
    """Domain, port, WebSocket and BOSH stand above the users, whose buttons make passwords."""
    text = host.server.app.test_client().get("/portal/users", headers={"Host": HOST_NAME}).text
    prosody = host.prosody
    for address in (f"port {prosody.ports.c2s}, without TLS", prosody.websocket_url, prosody.bosh_url, prosody.domain):
        assert f"{address}</code>" in text


def test_a_server_of_ones_own(run: Run, host: Host, tmp_path: Path) -> None:
    """With a file of settings, the messages go over the server that it names; its secret is shown nowhere."""
    server: Prosody = host.prosody
    host.network.relay._streams.stop()  # the component's place on the server is free
    (tmp_path / "server.toml").write_text(
        f'domain = "{server.domain}"\ncomponent_secret = "{server.component_secret}"\n'
        f'component_port = {server.ports.component}\nc2s_port = {server.ports.c2s}\nc2s_tls = "none"\n'
    )
    command = run("sandbox", "--port", "0", "--xmpp", "server.toml")
    assert f"XMPP, onechat.localhost at 127.0.0.1 port {server.ports.component}" in " ".join(command.said.split())
    assert command.end(signal.SIGINT) == 0
    assert server.component_secret not in command.said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """What is neither a word nor a file is refused in one sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "miniapp", "sandbox", "--port", "0", "--xmpp", "nothing.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "nothing.toml" in done.stderr
    assert "Traceback" not in done.stderr
