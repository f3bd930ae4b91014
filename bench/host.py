"""A host that costs next to nothing: it answers every POST with one success that our client and its peers take.

`python -m bench.host [DELAY]` prints its URL; DELAY is how many seconds each answer takes. `GET /count` gives the
number of POSTs so far.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, cast

ANSWER = {
    "status": "Success",
    "description": "-",
    "isAuthenticated": True,
    "ok": True,  # Slack, Telegram
    "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "-"},  # Telegram
    "sentMessages": [{"id": "1"}],  # LINE
}


def answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection. Parses no more of HTTP than where a request ends."""

    count = 0
    delay = 0.0
    success = answer(json.dumps(ANSWER).encode())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n") + 4) > 3:
            head = self.received[:end].lower()
            _, found, rest = head.partition(b"\r\ncontent-length:")
            whole = end + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
            if len(self.received) < whole:
                return
            self.received = self.received[whole:]
            if head.startswith(b"post "):
                Connection.count += 1
                self.reply(self.success)
            else:
                self.transport.write(answer(str(Connection.count).encode()))

    def reply(self, data: bytes) -> None:
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, data)
        else:
            self.transport.write(data)


async def main(arguments: list[str]) -> None:
    Connection.delay = float(arguments[0]) if arguments else 0.0
    options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "backlog": 1024}  # a herd connects at once
    server = await asyncio.get_running_loop().create_server(Connection, **options)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
