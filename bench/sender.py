"""Calls of an HTTP API that sends messages, over connections that stay open.

`python -m bench.sender`, with JSON on standard input: `port`, `path`, `headers`, `body`, in which the field `field` is
set to the time of sending and some text, `count`, `connections`, and `rate`, calls a second (0: as many as go). Prints
when the first was sent, in seconds of the monotonic clock.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
from typing import Any

TEXT = "Your lunch is ready at the counter, the one beside the stairs. " * 2


def send(job: dict[str, Any]) -> float:
    """Returns when the first was sent."""
    head = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
    numbers = itertools.count()
    faults: list[str] = []
    began = time.monotonic()

    def work() -> None:
        with socket.create_connection(("127.0.0.1", job["port"])) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = connection.makefile("rb")
            while (number := next(numbers)) < job["count"] and not faults:
                if job["rate"]:
                    time.sleep(max(0.0, began + number / job["rate"] - time.monotonic()))
                body = json.dumps({**job["body"], job["field"]: f"{time.monotonic()} {TEXT}"}).encode()
                request = f"POST {job['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
                connection.sendall(request.encode() + body)
                status, length = answers.readline(), 0
                while (line := answers.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                said = answers.read(length)
                if b" 200 " not in status:
                    faults.append(f"{status!r} {said!r}")

    threads = [threading.Thread(target=work) for _ in range(job["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(faults[0])
    return began


if __name__ == "__main__":
    print(send(json.load(sys.stdin)))
