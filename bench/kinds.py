"""What a message of each kind costs over XMPP.

`python -m bench.kinds COUNT` sends COUNT of each through the network of a sandbox, without HTTP, and prints for each
kind as JSON how many were accepted and delivered a second, and the milliseconds of processor time of Prosody and of the
sandbox for each that was delivered.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from miniapp.sandbox.network import Network, Sender
from miniapp.sandbox.network.xmpp.credentials import Credentials
from miniapp.sandbox.network.xmpp.relay import XMPPRelay
from miniapp.sandbox.prosody import Prosody
from miniapp.sandbox.store import Store

from .processes import cpu
from .sandboxhost import DOMAIN, crowd

PEOPLE = 1000
ALICE, BOB = Sender(f"alice@{DOMAIN}", "Alice Tan"), f"bob@{DOMAIN}"
APP = Sender(f"alerts.{DOMAIN}", "Lunch")
LUNCH = f"lunch-100200@muc.{DOMAIN}"
TEXT = "Your lunch is ready at the counter. " * 4


def main(count: int) -> None:
    with TemporaryDirectory() as directory:
        store = Store(Path(directory) / "sandbox.db", domain=DOMAIN)
        crowd(store, PEOPLE)
        credentials = Credentials(store)
        prosody = Prosody(credentials)
        network = Network(store, XMPPRelay(store, prosody, credentials))
        network.start()
        network.history(BOB)  # his phone is open
        everybody = len(store.users.all())
        kinds = {
            "alert to a phone that is open": (count, lambda n: network.direct(APP, BOB, f"{n} {TEXT}"), 1),
            "person to person, two archives": (count, lambda n: network.direct(ALICE, BOB, f"{n} {TEXT}"), 1),
            "group of three": (count, lambda n: network.group(ALICE, LUNCH, f"{n} {TEXT}"), 1),
            f"broadcast to {everybody:,}": (3, lambda n: network.broadcast(APP, DOMAIN, f"{n} {TEXT}"), everybody),
        }
        found = {}
        pause = threading.Event()
        for kind, (number, send, each) in kinds.items():
            began, server, own = time.monotonic(), cpu(prosody.pid), cpu(os.getpid())
            for n in range(number):
                send(n)
            accepted = number / (time.monotonic() - began)
            while store.stanzas.waiting(1):
                pause.wait(0.05)
            total = number * each
            found[kind] = {
                "accepted": accepted,
                "delivered": total / (time.monotonic() - began),
                "prosody": 1000 * (cpu(prosody.pid) - server) / total,
                "sandbox": 1000 * (cpu(os.getpid()) - own) / total,
            }
        network.close()
        store.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
