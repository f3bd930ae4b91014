"""What a message costs over XMPP: processor time of the sandbox and of Prosody, and messages a second.

python bench/xmpp.py [MESSAGES]
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from pathlib import Path

from miniapp.sandbox.network import Sender
from miniapp.sandbox.network.credentials import Credentials
from miniapp.sandbox.network.xmpp import XMPPNetwork
from miniapp.sandbox.prosody import Prosody
from miniapp.sandbox.store import Store

DOMAIN = "onechat.localhost"
ALICE, BOB = Sender(f"alice@{DOMAIN}", "Alice Tan"), f"bob@{DOMAIN}"
APP = Sender(f"alerts.{DOMAIN}", "Lunch")
LUNCH = f"lunch-100200@muc.{DOMAIN}"
TEXT = "Your lunch is ready at the counter. " * 4


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(count: int) -> None:
    store = Store(domain=DOMAIN)
    people = 1000
    for number in range(people):
        store.users.add(f"User {number}", f"user{number}@{DOMAIN}")
    credentials = Credentials(store)
    prosody = Prosody(credentials)
    network = XMPPNetwork(store, prosody, credentials)
    began = time.monotonic()
    network.start()
    print(f"start {time.monotonic() - began:.2f} s, Prosody {memory(prosody.pid):.0f} MB")
    network.history(BOB)
    tick = threading.Event()
    kinds = {
        "alert to a phone that is open": (count, lambda n: network.direct(APP, BOB, f"{n} {TEXT}"), 1),
        "person to person": (count, lambda n: network.direct(ALICE, BOB, f"{n} {TEXT}"), 1),
        "group of three": (count, lambda n: network.group(ALICE, LUNCH, f"{n} {TEXT}"), 1),
        f"broadcast to {people + 6}": (3, lambda n: network.broadcast(APP, DOMAIN, f"{n} {TEXT}"), people + 6),
    }
    print("kind | accepted/s | delivered/s | Prosody ms each | sandbox ms each")
    for kind, (number, send, each) in kinds.items():
        began, server, own = time.monotonic(), cpu(prosody.pid), own_cpu()
        for n in range(number):
            send(n)
        accepted = number / (time.monotonic() - began)
        while store.stanzas.waiting(1):
            tick.wait(0.05)
        total = number * each
        seconds = time.monotonic() - began
        print(
            f"{kind} | {accepted:.0f} | {total / seconds:.0f} | "
            f"{1000 * (cpu(prosody.pid) - server) / total:.2f} | {1000 * (own_cpu() - own) / total:.2f}",
            flush=True,
        )
    print(f"Prosody {memory(prosody.pid):.0f} MB, sandbox {memory(os.getpid()):.0f} MB")
    network.close()
    store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
