"""What happens when the XMPP server, or a client of it, does not do as it should."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from miniapp.errors import MiniAppError
from miniapp.sandbox import SandboxConfig, create_sandbox
from miniapp.sandbox.network.xmpp.credentials import Credentials
from miniapp.sandbox.network.xmpp.server import read_settings
from miniapp.sandbox.prosody import Ports, Prosody
from miniapp.sandbox.prosody.config import ARCHIVE, PORTS
from miniapp.sandbox.prosody.server import read_ports
from miniapp.sandbox.store import Store
from miniapp.sandbox.store.stanzas import SENDING
from support.people import ALICE, BOB, DOMAIN, LUNCH
from support.xmpp.host import Host
from support.xmpp.ocwp_site import People

Eventually = Callable[..., None]


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield somebody.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kill(host: Host) -> None:
    os.kill(host.prosody.pid, signal.SIGKILL)


@pytest.fixture
def credentials() -> Iterator[Credentials]:
    store = Store(domain=DOMAIN)
    yield Credentials(store)
    store.close()


def test_nothing_accepted_is_lost_or_doubled_when_the_server_is_killed(host: Host, eventually: Eventually) -> None:
    """Killed twice while people and backends send, it has everything in the end, each once, and so have the phones."""
    bob = host.friend(BOB)
    bob.join(LUNCH, "Bobby")
    expected: list[str] = []

    def send(number: int) -> None:
        host.api("singleMessage", jid=BOB, message=f"alert {number}")
        host.type(ALICE, BOB, f"direct {number}")
        host.type(ALICE, LUNCH, f"group {number}")
        expected.extend(f"{kind} {number}" for kind in ("alert", "direct", "group"))

    for number in range(60):
        if number in (15, 40):
            eventually(lambda: host.network.relay._streams.is_up)
            kill(host)
        send(number)
    host.api("massBroadcast", domain=DOMAIN, message="the end")
    expected.append("the end")
    eventually(host.sent_on, 60)
    assert host.shown(BOB)[-180:] == expected[-180:]

    # What the server has, by its own archives, not by our store.
    again = host.friend(BOB)
    again.join(LUNCH, "Bobby")
    assert Counter(again.archive() + again.archive(LUNCH)) == Counter(expected)


def test_a_message_that_only_its_author_has_is_sent_again(host: Host, eventually: Eventually) -> None:
    """Killed between its two writes, a server has a message in the author's archive alone: the other gets it, once."""
    host.type(ALICE, BOB, "half way")
    eventually(host.sent_on)
    with closing(sqlite3.connect(host.prosody._directory / ARCHIVE)) as archives, archives:
        gone = archives.execute("DELETE FROM prosodyarchive WHERE store = 'archive' AND user = 'bob'")
        assert gone.rowcount == 1
    (message,) = host.sandbox.store.messages.history(BOB, ALICE, None, 1)
    host.sandbox.store.stanzas.mark([message.id], SENDING)
    host.network.relay._streams._rewind = True  # as after a break
    host.network.relay._streams.wake()
    eventually(host.sent_on)
    assert host.friend(BOB).archive() == ["half way"]
    assert host.shown(BOB) == host.shown(ALICE) == ["half way"]


def test_a_message_waits_for_an_archive_that_is_locked(host: Host, eventually: Eventually) -> None:
    """As another program locks it for a moment: Prosody by itself would go on without archiving the message."""
    bob = host.friend(BOB)
    path = host.prosody._directory / ARCHIVE
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        unlocking = threading.Timer(1, somebody.rollback)
        unlocking.start()
        host.type(ALICE, BOB, "in between")
        unlocking.join()
    eventually(host.sent_on)
    assert bob.archive() == host.friend(ALICE).archive() == ["in between"]


def test_a_sandbox_that_was_killed_sends_on(start: Callable[..., Host], tmp_path: Path, eventually: Eventually) -> None:
    """What was accepted and not sent on is in the store, and goes out when a sandbox is started on it again."""
    database = tmp_path / "sandbox.db"
    first = start(database=database, xmpp_directory=tmp_path / "xmpp")
    first.prosody.stop()
    first.type(ALICE, BOB, "while it was away")
    first.network.relay._streams.stop()
    second = start(database=database, xmpp_directory=tmp_path / "xmpp")
    eventually(second.sent_on)
    bob = second.friend(BOB)
    eventually(lambda: bob.texts() == ["while it was away"])
    assert second.shown(BOB) == ["while it was away"]


def test_groups_and_archives_outlive_a_restart(
    start: Callable[..., Host], tmp_path: Path, eventually: Eventually
) -> None:
    """With a directory and a database, rooms, members and what was written are there again, and shown once.

    That holds for root below a directory that only root can enter, too. Clients connect where they did.
    """
    kept = {"database": tmp_path / "sandbox.db", "xmpp_directory": tmp_path / "xmpp"}
    first = start(**kept)
    bob = first.friend(BOB)
    made = first.network.create_group(ALICE, [BOB], "Cooks")
    eventually(lambda: bob.invited == [made.jid])
    first.type(ALICE, made.jid, "hello")
    first.type(ALICE, BOB, "hello, Bob")
    eventually(first.sent_on)
    first.close()
    first.server.stop()
    assert tmp_path.parent.stat().st_mode & 0o077 == 0
    second = start(**kept)
    bob = second.friend(BOB)
    bob.join(made.jid, "Bobby")
    assert (bob.archive(made.jid), bob.archive()) == (["hello"], ["hello, Bob"])
    bob.send(made.jid, "hello again", "groupchat")
    eventually(lambda: second.shown(ALICE, made.jid) == ["hello", "hello again"])
    assert second.prosody.ports == first.prosody.ports


@contextmanager
def sandbox_process() -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A sandbox in a process of its own, with its Prosody's process ID and directory; killed at the end."""
    program = (
        "from miniapp.sandbox import SandboxConfig, SandboxServer\n"
        "server = SandboxServer(SandboxConfig(xmpp='prosody')).start()\n"
        "prosody = server.sandbox.network.relay._server\n"
        "print(prosody.pid, prosody._directory, flush=True)\n"
        "import sys; sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            pid, directory = process.stdout.readline().split()
            yield process, int(pid), Path(directory)
        finally:
            process.kill()


def test_the_server_ends_with_a_parent_that_is_killed() -> None:
    """A SIGKILL of the sandbox leaves no Prosody behind."""
    with sandbox_process() as (_, prosody, _):
        watch = os.pidfd_open(prosody)
    ended = threading.Event()
    waiting = threading.Thread(target=lambda: (_ended(watch), ended.set()))
    waiting.start()
    assert ended.wait(20)
    waiting.join()
    os.close(watch)


def test_what_a_killed_sandbox_left_is_cleared_away(people: People) -> None:
    """The next one to start removes the directory of one that was killed, but of none that runs."""
    with sandbox_process() as (process, prosody, directory):
        with Prosody(people):
            assert (directory / "prosody.cfg.lua").exists()
        watch = os.pidfd_open(prosody)
        process.kill()
        process.wait()
        _ended(watch)
        os.close(watch)
        with Prosody(people):
            assert not directory.exists()


def _ended(pidfd: int) -> None:
    import select

    select.select([pidfd], [], [], 20)


def test_a_server_that_crashed_is_started_until_it_runs(
    people: People, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    """An attempt that fails is logged and followed by another; clients find the server at its old port."""
    with Prosody(people) as prosody:
        modules = prosody._directory / "modules"
        aside = modules.rename(modules.with_name("aside"))
        modules.touch()
        os.kill(prosody.pid, signal.SIGKILL)
        eventually(lambda: sum("modules" in line for line in caplog.messages) > 1)
        modules.unlink()
        aside.rename(modules)
        eventually(lambda: listens(prosody.ports.c2s))
    assert f"Prosody ended with code {-signal.SIGKILL}; starting it again." in caplog.messages


def test_a_port_that_is_taken_is_named(credentials: Credentials) -> None:
    """The error says which port, and what to do."""
    with taken_port() as port, pytest.raises(MiniAppError, match=f"port {port}") as error:
        Prosody(credentials, ports=Ports(c2s=port)).start()
    assert error.value.code == "port"
    assert "free one" in error.value.hint


def test_a_kept_port_that_is_taken_changes_alone(
    credentials: Credentials, reachable: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Prosody takes a free port in its place and says so; a file of ports that is damaged does no harm."""
    prosody = Prosody(credentials, directory=reachable / "xmpp")
    with prosody:
        before = prosody.ports
    with socket.create_server(("127.0.0.1", before.c2s)), Prosody(credentials, directory=reachable / "xmpp") as again:
        assert (again.ports.http, again.ports.component) == (before.http, before.component)
        assert again.ports.c2s != before.c2s
        (line,) = caplog.messages
        assert f"{before.c2s} is taken" in line
        assert f"port {again.ports.c2s}" in line
    for damaged in ("", "[1]", '{"c2s": "x"}', '{"c2s": 99999, "http": 1, "component": 1}'):
        (reachable / "xmpp" / PORTS).write_text(damaged)
        assert read_ports(reachable / "xmpp" / PORTS) == Ports()


@pytest.mark.parametrize("what", ["a file", "a damaged archive"])
def test_a_directory_that_cant_be_used_is_named(credentials: Credentials, reachable: Path, what: str) -> None:
    """The error says which file, why, and what to do; the file stays as it was."""
    file = reachable / "xmpp" if what == "a file" else reachable / "xmpp" / ARCHIVE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"garbage " * 500)
    with pytest.raises(MiniAppError, match=f"{file} can't be used") as error:
        Prosody(credentials, directory=reachable / "xmpp").start()
    assert error.value.code == "prosody"
    assert error.value.hint
    assert file.read_bytes() == b"garbage " * 500


def test_a_directory_that_was_removed_is_made_again(
    reachable: Path, start: Callable[..., Host], eventually: Eventually
) -> None:
    """After `restore` messages go both ways, and the server's files are in their place again."""
    host = start(xmpp_directory=reachable / "xmpp")
    while (reachable / "xmpp").exists():  # the server still writes, so a file may come beside the last one
        shutil.rmtree(reachable / "xmpp", ignore_errors=True)
    host.sandbox.restore()
    bob = host.friend(BOB)
    host.type(ALICE, BOB, "still here")
    eventually(lambda: bob.texts() == ["still here"])
    assert host.shown(ALICE) == ["still here"]
    bob.send(ALICE, "so am I")
    eventually(lambda: host.shown(ALICE) == ["still here", "so am I"])
    assert (reachable / "xmpp" / ARCHIVE).exists()
    pid = host.prosody.pid
    host.sandbox.restore()
    assert host.prosody.pid == pid


def test_a_wrong_component_secret_is_named(host: Host) -> None:
    """A server that runs already and has another secret: the sandbox does not start, and says so."""
    settings = replace(host.prosody.settings, component_secret="something-else")
    with pytest.raises(MiniAppError) as error:
        create_sandbox(SandboxConfig(xmpp=settings))
    assert error.value.code == "xmpp_secret"
    assert "something-else" not in str(error.value)


def test_a_server_that_is_not_there_is_named(host: Host) -> None:
    """Nothing listens at the component's port: the sandbox does not start, and says where it looked."""
    with taken_port() as port:
        pass
    with pytest.raises(MiniAppError, match=f"port {port}") as error:
        create_sandbox(SandboxConfig(xmpp=replace(host.prosody.settings, component_port=port)))
    assert error.value.code == "xmpp_unreachable"


def test_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Prosody, auto is the embedded network and says what to install; asked for by name, it is an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    from miniapp.sandbox import sandbox_of

    host = sandbox_of(create_sandbox(SandboxConfig(xmpp="auto")))
    assert "apt install prosody" in host.carried_by
    assert "\n" not in host.carried_by
    host.close()
    with pytest.raises(MiniAppError) as error:
        create_sandbox(SandboxConfig(xmpp="prosody"))
    assert error.value.code == "no_prosody"


def test_a_flood_leaves_others_their_service(host: Host, eventually: Eventually) -> None:
    """A client that sends thousands of messages at once is slowed down; a message of another user comes through."""
    flooder, carol = host.friend(BOB), host.friend(f"carol@{DOMAIN}")
    assert host.shown(ALICE) == []
    for number in range(3000):
        flooder.send(ALICE, f"flood {number} " + "x" * 200)
    carol.send(ALICE, "excuse me")
    eventually(lambda: "excuse me" in host.shown(ALICE, carol.jid))
    host.api("singleMessage", jid=carol.jid, message="still here")
    eventually(lambda: "still here" in carol.texts())


def test_a_huge_message_ends_its_sender_alone(host: Host, eventually: Eventually) -> None:
    """A message of 1 MB is refused with the sender's stream; no other user notices."""
    bob, carol = host.friend(BOB), host.friend(f"carol@{DOMAIN}")
    bob.send(ALICE, "x" * 1024 * 1024)
    eventually(lambda: not bob.stream.is_connected())
    carol.send(ALICE, "hello")
    eventually(lambda: host.shown(ALICE) == ["hello"])


@pytest.mark.parametrize("garbage", [b"<not xml", b"\0\xff\xfe", b"<a><b></a>", b"<?xml version='1.0'?><!DOCTYPE x>"])
def test_malformed_xml_is_refused(host: Host, garbage: bytes) -> None:
    """Whatever is not XML ends its own connection, with or without a stream around it."""
    opening = (
        f"<stream:stream to='{DOMAIN}' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    ).encode()
    with socket.create_connection(("127.0.0.1", host.prosody.ports.c2s), 10) as client:
        client.sendall(opening + garbage + b"</stream:stream>")
        said = b""
        while piece := client.recv(65536):
            said += piece
    assert b"stream:error" in said or b"</stream:stream>" in said
    assert host.type(ALICE, BOB, "still here")["text"] == "still here"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "domain: is missing; component_secret: is missing"),
        ('domain = "a.example"\ncomponent_secret = "s"\nportt = 1', "portt: there is no such setting"),
        ('domain = "a.example"\ncomponent_secret = "s"\nc2s_port = "x"', "c2s_port: is not a number"),
        ('domain = "a.example"\ncomponent_secret = "s"\nc2s_tls = "none"\nc2s_host = "a.example"', "in clear"),
        ("domain = ", "can't be used"),
    ],
)
def test_settings_of_another_server_are_checked(tmp_path: Path, text: str, fault: str) -> None:
    """Each problem is named, with its key; the secret is not repeated."""
    (tmp_path / "xmpp.toml").write_text(text)
    with pytest.raises(MiniAppError, match=fault) as error:
        read_settings(tmp_path / "xmpp.toml")
    assert error.value.code == "xmpp_settings"


def test_settings_hide_their_secrets(tmp_path: Path) -> None:
    """Shown in a log or an error, the settings have no secret in them."""
    (tmp_path / "xmpp.toml").write_text('domain = "a.example"\ncomponent_secret = "CANARY"\naccounts_secret = "CANARY"')
    assert "CANARY" not in repr(read_settings(tmp_path / "xmpp.toml"))
