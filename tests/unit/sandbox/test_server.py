"""The sandbox on a real port: faults on the wire, quiet logs, a prompt stop."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Response

from miniapp.errors import MiniAppError
from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.server import SPARE_MAX
from support.people import BOB
from support.servers import reset_on_close

SEND = json.dumps({"jid": BOB, "message": "Hi"})
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(server: SandboxServer) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)) as client:
        yield client


def send(client: http.client.HTTPConnection) -> http.client.HTTPResponse:
    client.request("POST", "/onechat/api/singleMessage", SEND, JSON)
    return client.getresponse()


def test_it_listens_on_loopback_alone(server: SandboxServer) -> None:
    """The address is 127.0.0.1, the port a free one, and browsers have a name for it."""
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.page_url == f"http://onechat.localhost:{server.port}"
    with pytest.raises(OSError, match="in use"):
        SandboxServer(port=server.port).start()


def test_it_takes_over_a_socket() -> None:
    """Who connects to a socket that listens before the sandbox does is answered once it runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        early = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=5)
        early.request("GET", "/", headers={"Host": "onechat.localhost"})
        with SandboxServer(listener=listener) as server, contextlib.closing(early):
            assert server.port == early.port
            assert early.getresponse().read().startswith(b"<!doctype html>")


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "example.com"])
def test_it_refuses_other_addresses_unless_forced(host: str) -> None:
    """Nothing but loopback by mistake."""
    with pytest.raises(MiniAppError, match="this machine only"):
        SandboxServer(host=host)
    SandboxServer(host=host, force=True).stop()


def test_reset_cuts_the_connection_off(server: SandboxServer, client: http.client.HTTPConnection) -> None:
    """The client sees a connection reset, no answer."""
    server.sandbox.faults.order("singleMessage", 1, "reset")
    with pytest.raises(ConnectionResetError):
        send(client)


def test_a_hanging_call_ends_when_released(
    server: SandboxServer,
    client: http.client.HTTPConnection,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    """It answers nothing until then; clearing the faults drops it."""
    server.sandbox.faults.order("singleMessage", 1, "hang")
    client.request("POST", "/onechat/api/singleMessage", SEND, JSON)
    eventually(lambda: not server.sandbox.faults._orders["singleMessage"])
    assert client.sock is not None
    client.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.sock.recv(1)
    client.sock.settimeout(5)
    server.sandbox.faults.clear()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        client.getresponse()


def test_a_body_that_is_too_large_gets_its_answer(client: http.client.HTTPConnection) -> None:
    """Who sends too much sees 413, not a broken connection."""
    client.request("POST", "/onechat/api/singleMessage", b"x" * (8 * 1024 * 1024), JSON)
    answer = client.getresponse()
    assert (answer.status, json.loads(answer.read())["status"]) == (413, "Error")


def test_a_connection_serves_one_call_after_the_other(client: http.client.HTTPConnection) -> None:
    """Also after a call whose body was not read."""
    client.connect()
    connection = client.sock
    for path in ("/onechat/api/singleMessage", "/onechat/api/nothing", "/nowhere", "/onechat/api/singleMessage"):
        client.request("POST", path, SEND, JSON)
        assert client.getresponse().read()
        pieces = iter([SEND[:9].encode(), SEND[9:].encode()])
        client.request("POST", path, pieces, {**JSON, "Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert client.getresponse().read()
    assert client.sock is connection


def test_a_stream_for_every_page(
    server: SandboxServer, client: http.client.HTTPConnection, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """Each open stream keeps a thread; however many are opened together, each is answered, and a call as well."""
    with contextlib.ExitStack() as opened:
        streams = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=5) for _ in range(40)]
        for stream in streams:
            opened.enter_context(contextlib.closing(stream))
            stream.connect()
        for stream in streams:
            stream.request("GET", "/phones/events", headers={"X-Sandbox-Token": server.token})
        for stream in streams:
            assert stream.getresponse().readline().startswith(b":")
        assert send(client).status == 401
    eventually(lambda: server.sandbox.events.open_streams == 0)


def test_the_threads_of_closed_streams_end(
    server: SandboxServer, client: http.client.HTTPConnection, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """A few stay for what comes next; streams that are opened afterwards get threads again."""
    before = threading.active_count()
    for _ in range(2):
        with contextlib.ExitStack() as opened:
            for _ in range(100):
                stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
                opened.enter_context(contextlib.closing(stream))
                stream.request("GET", "/phones/events", headers={"X-Sandbox-Token": server.token})
                assert stream.getresponse().readline().startswith(b":")
            assert server.sandbox.events.open_streams == 100
            assert b"Unauthorized" in send(client).read()
        eventually(lambda: server.sandbox.events.open_streams == 0)
        eventually(lambda: threading.active_count() <= before + SPARE_MAX)


def test_stopping_does_not_wait_for_clients(eventually: Callable[[Callable[[], bool]], None]) -> None:
    """Open streams, hanging calls and idle connections end with the server, and their threads with them."""
    server = SandboxServer().start()
    before = threading.active_count()
    server.sandbox.faults.order("singleMessage", 1, "hang")
    idle, stream, hanging = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=5) for _ in range(3))
    idle.connect()
    stream.request("GET", "/phones/events", headers={"X-Sandbox-Token": server.token})
    events = stream.getresponse()
    assert events.readline().startswith(b":")
    hanging.request("POST", "/onechat/api/singleMessage", SEND, JSON)
    eventually(lambda: not server.sandbox.faults._orders["singleMessage"])
    ours = [thread for thread in threading.enumerate() if "WorkerThread" in type(thread).__name__]
    assert len(ours) >= 4
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()
    for thread in ours:
        thread.join(5)
        assert not thread.is_alive()
    with contextlib.suppress(http.client.IncompleteRead):
        events.read()
    for client in (idle, stream, hanging):
        client.close()
    assert threading.active_count() <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 1)


@pytest.mark.parametrize("status", [200, 304])
def test_a_response_whose_reader_went_away_is_closed(server: SandboxServer, status: int) -> None:
    """With a body or without: its file would stay open otherwise. Browsers reset what they no longer wait for."""
    asked, gone, closed = threading.Event(), threading.Event(), threading.Event()

    def page() -> Response:
        asked.set()
        assert gone.wait(5)
        response = Response("a page", status)
        response.call_on_close(closed.set)
        return response

    server.app.add_url_rule("/slow", view_func=page)
    with socket.create_connection(("127.0.0.1", server.port)) as reader:
        reader.sendall(b"GET /slow HTTP/1.1\r\nHost: onechat.localhost\r\n\r\n")
        assert asked.wait(5)
        reset_on_close(reader)
    gone.set()
    assert closed.wait(5)


def test_logs_hold_no_secret(
    server: SandboxServer, client: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    """A request's line is logged without its query, and nothing else of the request is."""
    with caplog.at_level(logging.DEBUG):
        client.request(
            "POST",
            "/onechat/api/singleMessage?key=CANARY",
            json.dumps({"jid": "CANARY", "sessionId": "CANARY"}),
            {**JSON, "apikey": "CANARY", "X-Sandbox-Token": "CANARY"},
        )
        client.getresponse().read()
        client.request("GET", "/%1b[31mred")
        client.getresponse().read()
    assert "POST /onechat/api/singleMessage 401" in caplog.text
    assert "CANARY" not in caplog.text
    assert "\x1b" not in caplog.text


def test_a_file_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    """Stopped and started on the same file, the sandbox knows its messages."""
    config = SandboxConfig(database=tmp_path / "sandbox.db")
    with SandboxServer(config) as first:
        first.sandbox.store.users.add("Frank Ho")
    with SandboxServer(config) as second:
        assert "Frank Ho" in [user.name for user in second.sandbox.store.users.all()]
