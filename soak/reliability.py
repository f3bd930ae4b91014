"""Make `docs/reliability.md` from the records of the long runs and from the tests. `scripts/soak report` runs this.

A test compares the page with this, so that no new fault or threat's test is missing there.
"""

from __future__ import annotations

import ast
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from miniapp.errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable
from soak import records
from support.calls import CALLS
from support.faultcases import CASES

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
PAGE = HERE.parent / "docs/reliability.md"

THREATS = {
    1: "a session ID is read where we leave it",
    2: "session fixation",
    3: "one mini app presents a session at another",
    4: "one user's session with another's JID",
    5: "an answer that is not exactly yes passes for yes",
    6: "the wrong endpoint, as OneChat's page prints it",
    7: "the API key in a page or script",
    8: "secrets in logs and errors",
    9: "a redirect carries the API key away",
    10: "a proxy or a password of the environment gets between",
    11: "a foreign page includes our scripts or data",
    12: "script injection in generated JavaScript",
    13: "hostile postMessage",
    14: "the native bridge reaches every frame",
    15: "clickjacking",
    16: "CSRF at the login",
    17: "CSRF at everything else",
    18: "open redirect",
    19: "the host is made to call an address of the attacker's",
    20: "stanza injection by text",
    21: "JID injection",
    22: "header injection by the API key",
    23: "one user's answer from a cache for another",
    24: "a revoked session stays good",
    25: "timing of comparisons",
    26: "many first requests, as many calls",
    27: "a host that hangs or drips",
    28: "huge and compressed answers",
    29: "garbage for JSON",
    30: "requests without bounds",
    31: "slow clients",
    32: "guessing at the login",
    33: "path traversal",
    34: "secrets in git",
    35: "the sandbox reached from elsewhere",
    36: "a broadcast sent twice",
    37: "launch data forged in a link, or by another mini app",
    38: "cookies of another app, host name or setting",
    39: "a key that can be guessed signs logins",
    40: "consent by accident",
    41: "a frame takes the keyboard",
    42: "an app locks its phone",
    43: "a message goes out after the page was told `timeout`",
    44: "a guard that guards nothing",
    45: "a message that claims a place in the chat plugin's archive",
    46: "a message hidden behind another of the same ID",
    47: "strangers put people into groups",
    48: "a picture of a foreign host tells who reads it",
}

OUTCOMES: dict[type[HostError], str] = {
    HostUnreachable: "503",
    HostBusy: "503, with the host's own Retry-After if it gave one",
    HostNonsense: "502",
    HostRefused: "401",
}


def page() -> str:
    """Return the whole page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    threats = threat_tests()
    load, generated = records.read("load"), records.read("generated")
    return environment.get_template("reliability.md.j2").render(
        n="{:,}".format,
        faults=CASES,
        outcomes=OUTCOMES,
        calls=len(CALLS),
        soaks={"SQLite": records.read("outbox-sqlite"), "Postgres": records.read("outbox-postgres")},
        load=load,
        chat=records.read("chat"),
        failed=sum(load["host_failed"].values()),
        titles=THREATS,
        threats=threats,
        tests=sum(len(names) for files in threats.values() for names in files.values()),
        generated=generated,
        requests=sum(count for test, count in generated["counts"].items() if "test_openapi" in test),
    )


def threat_tests() -> dict[int, dict[str, list[str]]]:
    """Return the tests in `tests/threats/` by the number of their threat: file → the names of its tests."""
    found: dict[int, dict[str, list[str]]] = {number: {} for number in THREATS}
    for path in sorted((TESTS / "threats").glob("test_*.py")):
        found[int(path.name[5:7])][path.stem] = _names(path)
    return found


def _names(path: Path) -> list[str]:
    body = ast.parse(path.read_text()).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [name.removeprefix("test_").replace("_", " ") for name in names]


if __name__ == "__main__":
    PAGE.write_text(page())
