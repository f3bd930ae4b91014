"""ejabberd's `extauth_program`: asks the sandbox about accounts. Needs nothing but Python's standard library.

    python extauth.py http://127.0.0.1:5290 FILE-WITH-THE-SECRET

The protocol is ejabberd's: two bytes of length, then `auth:user:host:password` or `isuser:user:host`; the answer is
0 0 2 0 1 for yes. What is not a question but an order (to set a password, to remove a user) is refused.
"""

from __future__ import annotations

import json
import struct
import sys
import urllib.request
from http.client import HTTPException
from typing import BinaryIO

SECONDS = 5.0  # the sandbox answers within milliseconds; ejabberd itself gives up after 60


def serve(url: str, secret: str, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until `questions` ends."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while len(head := questions.read(2)) == 2:
        command, *arguments = questions.read(struct.unpack(">H", head)[0]).decode("utf-8", "replace").split(":", 3)
        body = {"user": arguments[0] if arguments else ""}
        yes = False
        if command == "auth" and len(arguments) == 3:
            yes = _ask(opener, f"{url}/check", secret, {**body, "password": arguments[2]})
        elif command == "isuser":
            yes = _ask(opener, f"{url}/exists", secret, body)
        answers.write(struct.pack(">HH", 2, int(yes)))
        answers.flush()


def _ask(opener: urllib.request.OpenerDirector, url: str, secret: str, body: dict[str, str]) -> bool:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Authorization": f"Bearer {secret}"})  # noqa: S310
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return json.load(answer).get("ok") is True
    except (OSError, ValueError, HTTPException):
        return False


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        shared = file.read().strip()
    serve(sys.argv[1], shared, sys.stdin.buffer, sys.stdout.buffer)
