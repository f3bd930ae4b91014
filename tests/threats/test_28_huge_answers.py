"""Threat 28: an answer that fills the memory, at once or once unpacked."""

import subprocess
import sys

import pytest

from miniapp.errors import HostNonsense
from support.calls import client_of, failure
from support.faulthost import BOMB, Fault, FaultHost, Talk, answer
from support.paths import TESTS


def flood(head: bytes, part: bytes) -> Fault:
    def fault(talk: Talk) -> None:
        talk.send(head)
        while not talk.over.is_set():
            talk.send(part)

    return fault


HUGE = {
    "bomb": answer(200, BOMB, "Content-Encoding: gzip"),
    "bomb, redirected": answer(302, BOMB, "Content-Encoding: gzip", "Location: /"),
    "bomb with an error": answer(500, BOMB, "Content-Encoding: gzip"),
    "long": answer(200, b" " * (32 * 1024 * 1024)),
    "endless": flood(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
    "endless redirect": flood(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b" " * 65536),
    "endless header": flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "endless chunk": flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", b" " * 65536),
    "endless trailer": flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Y: z\r\n" * 8192),
}

# In a process of its own, since the most memory that this one ever had hides what the call adds.
CALL = """
import resource, sys
sys.path.insert(0, {tests!r})
from support.calls import CALLS, client_of
from miniapp.errors import HostError

client = client_of({url!r})
client.session.get_adapter({url!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(3):
    try:
        CALLS["singleMessage"](client)
    except HostError as error:
        print(type(error).__name__, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", HUGE)
def test_memory_does_not_grow_with_the_answer(name: str) -> None:
    """64 MiB packed into 64 KiB, and floods without end, cost less than 10 MiB, and end in an error each time."""
    with FaultHost(HUGE[name]) as host:
        done = subprocess.run(
            [sys.executable, "-c", CALL.format(tests=str(TESTS), url=host.url)],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    assert int(done.stdout) < 10 * 1024  # KiB
    assert done.stderr.split() == [("HostUnreachable" if "error" in name else "HostNonsense")] * 3


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP", "gzip, gzip"])
def test_what_is_compressed_is_not_unpacked(encoding: str) -> None:
    """We ask for no compression, so whatever comes compressed is not read."""
    with FaultHost(answer(200, BOMB, f"Content-Encoding: {encoding}")) as host, client_of(host.url) as client:
        assert isinstance(failure(client, "singleMessage"), HostNonsense)
        assert host.requests[0].headers["accept-encoding"] == "identity"
