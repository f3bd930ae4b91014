"""Threat 29, the client's side: garbage for JSON ends in something other than our own error."""

import pytest

from miniapp.errors import HostNonsense
from support.calls import CALLS, client_of, failure
from support.faulthost import FaultHost, answer

GARBAGE = {
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "deep and whole": b"[" * 30_000 + b"]" * 30_000,
    "huge number": b'{"status":"Success","n":' + b"9" * 60_000 + b"}",
    "huge exponent": b"1e999999999",
    "NaN": b'{"status":"Success","n":NaN}',
    "infinity": b'{"status":"Success","n":-Infinity}',
    "lone surrogate bytes": b'{"status":"Success","n":"\xed\xa0\x80"}',
    "bad utf-8": b'{"status":"Success","n":"\xc3"}',
    "utf-16": '{"status":"Success"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"status":"Success"}',
    "nul": b'{"status":"Success"}\0',
    "control character": b'{"status":"Success","n":"\x01"}',
    "comment": b'{"status":"Success"/**/}',
    "trailing comma": b'{"status":"Success",}',
    "scalar": b'"Success"',
    "null": b"null",
    "name twice": b'{"status":"Success","status":"Success"}',
    "html": b"<!doctype html><p>Success</p>",
    "nothing": b"",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_nonsense(name: str, call: str) -> None:
    """Each of these ends each call in `HostNonsense`, which names no part of it."""
    with FaultHost(answer(200, GARBAGE[name])) as host, client_of(host.url) as client:
        error = failure(client, call)
    assert type(error) is HostNonsense
    assert error.maybe_done
    assert len(str(error)) < 300
