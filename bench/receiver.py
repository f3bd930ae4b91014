"""An XMPP client, slixmpp, that gets messages and tells how long they were under way.

`python -m bench.receiver JID PORT COUNT`, with the password in RECEIVER_PASSWORD: prints "here" once it is online, and
after COUNT messages that `bench.sender` wrote a line of JSON: `last`, when the last one came in seconds of the
monotonic clock, which is the same for all processes, and `seconds`, each one's time under way.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from slixmpp import ClientXMPP


async def receive(jid: str, port: int, count: int) -> None:
    stream = ClientXMPP(
        jid, os.environ["RECEIVER_PASSWORD"], plugin_config={"feature_mechanisms": {"unencrypted_plain": True}}
    )
    stream.enable_starttls = stream.enable_direct_tls = False
    stream.enable_plaintext = True
    done = asyncio.get_running_loop().create_future()
    seconds: list[float] = []

    def got(message: Any) -> None:
        now = time.monotonic()
        sent = message["body"].partition(" ")[0]
        seconds.append(now - float(sent))
        if len(seconds) == count:
            done.set_result(now)

    async def started(_: Any) -> None:
        stream.send_presence()
        await stream.get_roster()
        print("here", flush=True)

    stream.add_event_handler("session_start", started)
    stream.add_event_handler("message", got)
    stream.connect("127.0.0.1", port)
    last = await done
    print(json.dumps({"last": last, "seconds": seconds}), flush=True)
    await stream.disconnect()


if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
