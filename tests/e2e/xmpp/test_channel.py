"""A stream to the XMPP server, against a server that accepts connections and says nothing."""

from __future__ import annotations

import asyncio

from miniapp.sandbox.network.xmpp.channel import Channel, client
from support.xmpp.friend import Loop

SECONDS = 10.0  # for anything to happen on a busy machine


async def _nothing() -> None:
    pass


def test_a_close_that_is_cancelled_leaves_nothing_open(loop: Loop) -> None:
    """A reset cancels a close that waits for the server: the connection and slixmpp's tasks end all the same."""
    loop.do(_cancel_a_close())


def test_a_second_attempt_keeps_the_first_ones_connection(loop: Loop) -> None:
    """After a failure both slixmpp and the channel try again. Whoever is second opens nothing."""
    loop.do(_open_twice())


async def _open_twice() -> None:
    greeted = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<stream:stream")
        greeted.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        stream = client("alice@onechat.localhost", "test", "none")
        channel = Channel(stream, server.sockets[0].getsockname(), on_stanza=lambda _stanza: None, on_up=_nothing)
        channel.open()
        await asyncio.wait_for(greeted.wait(), SECONDS)
        first = stream.transport
        channel.open()
        assert stream.transport is first
        assert stream._current_connection_attempt is None
        await channel.close()


async def _cancel_a_close() -> None:
    greeted, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<stream:stream")
        greeted.set()
        await reader.readuntil(b"</stream:stream>")
        closing.cancel()
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        before = asyncio.all_tasks()
        stream = client("alice@onechat.localhost", "test", "none")
        channel = Channel(stream, server.sockets[0].getsockname(), on_stanza=lambda _stanza: None, on_up=_nothing)
        channel.open()
        await asyncio.wait_for(greeted.wait(), SECONDS)
        closing = asyncio.ensure_future(channel.close())
        await asyncio.wait_for(ended.wait(), SECONDS)
        assert closing.cancelled()
        left = asyncio.all_tasks() - before
        await asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), SECONDS)
