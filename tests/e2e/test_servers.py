"""The servers that tests use."""

from __future__ import annotations

import queue
import socket

from flask import Flask, Response

from support.servers import reset_on_close, serving


def test_a_response_whose_reader_went_away_is_closed() -> None:
    """Werkzeug by itself leaves it open; whichever test runs as the garbage collector finds its file then fails."""
    closed: queue.Queue[None] = queue.Queue()

    def make_app(_: int) -> Flask:
        app = Flask("app")

        @app.get("/")
        def page() -> Response:
            response = Response("a page")
            response.call_on_close(lambda: closed.put(None))
            return response

        return app

    with serving(make_app) as (_, port):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", port)) as reader:
                reset_on_close(reader)
                reader.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert reader.recv(1)
            closed.get(timeout=10)
    assert closed.empty()
