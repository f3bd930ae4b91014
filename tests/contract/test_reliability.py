"""The page about reliability says what there is: every fault, every threat's test, every figure of the records."""

from __future__ import annotations

import pytest

from soak import records
from soak.reliability import PAGE, THREATS, page, threat_tests
from support.faultcases import CASES


def test_the_page_is_as_it_would_be_written_now() -> None:
    """`docs/reliability.md` is what `scripts/soak report` makes of the records and tests that there are."""
    assert PAGE.read_text() == page(), "Run `scripts/soak report` and look at what changed."


def test_every_threat_has_its_tests() -> None:
    """Each row of the list of threats has a test at least, and no test stands for a row that is not there."""
    assert list(THREATS) == list(range(1, 49))
    for number, files in threat_tests().items():
        assert files, f"no test for threat {number}"
        assert all(files.values()), f"a file without a test for threat {number}"


def test_every_fault_is_on_the_page() -> None:
    """The faults have names of their own, and the page has them all."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    text = PAGE.read_text()
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("name", ["outbox-sqlite", "outbox-postgres"])
def test_the_recorded_soaks_kept_the_promises(name: str) -> None:
    """1,000 kills and stops, 50 clock jumps, 100,000 messages: nothing lost, nor doubled where that was asked for."""
    run = records.read(name)
    hold, resend = run["policies"]["hold"], run["policies"]["resend"]
    assert run["kills"] == sum(run["victims"].values()) == 1000
    assert run["victims"]["suspended worker"] >= 50
    assert run["jumps"] == 50
    assert hold["messages"] + resend["messages"] == 100_000
    assert hold["lost"] == resend["lost"] == hold["duplicates"] == resend["unknown"] == 0


def test_the_recorded_load_kept_the_promises() -> None:
    """200 users for five minutes: no promise broken."""
    run = records.read("load")
    assert (run["users"], run["seconds"]) == (200, 300)
    assert run["broken"] == []


def test_the_recorded_chaos_kept_the_promises() -> None:
    """Every kind of blow, and no message lost, doubled or out of order, nor a login before its time."""
    run = records.read("chat")
    assert set(run["blows"]) == {"cut", "blink", "freeze", "kill", "reload"}
    assert run["problems"] == []


def test_enough_was_generated() -> None:
    """Schemathesis made the 10,000 requests that a release needs."""
    counts = records.read("generated")["counts"]
    assert sum(count for test, count in counts.items() if "test_openapi" in test) >= 10_000
