"""Threat 35: the XMPP server of the sandbox, and what answers it about accounts, listen on 127.0.0.1 alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from miniapp.sandbox import SandboxConfig, SandboxServer

pytestmark = pytest.mark.system

LISTEN = "0A"  # as /proc/net/tcp has it


def listeners(pid: int) -> set[str]:
    """The addresses, in hexadecimal, on which the process `pid` listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def test_xmpp_listens_on_loopback_alone() -> None:
    """Every listening socket of Prosody and of this process is on 127.0.0.1."""
    before = listeners(os.getpid())
    with SandboxServer(SandboxConfig(xmpp="prosody")) as server:
        prosody = listeners(server.sandbox.network.relay._server.pid)
        own = listeners(os.getpid()) - before
    assert prosody == {"0100007F"}
    assert own <= {"0100007F"}


def test_prosody_is_not_root() -> None:
    """Where the sandbox is root, Prosody is another user, and only that user reads its configuration."""
    with SandboxServer(SandboxConfig(xmpp="prosody")) as server:
        prosody = server.sandbox.network.relay._server
        assert Path(f"/proc/{prosody.pid}").stat().st_uid != 0
        config = prosody._directory / "prosody.cfg.lua"
        assert config.stat().st_mode & 0o077 == 0
        assert prosody.component_secret not in Path(f"/proc/{prosody.pid}/cmdline").read_text()
