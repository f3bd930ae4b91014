"""The database's clock is set back or ahead: the outbox goes on at its pace, and nothing is taken for dead."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import OperationalError

from miniapp.jid import Recipient
from miniapp.outbox import Outbox, ledger
from miniapp.outbox.clock import BACKOFF_MAX, JUMP, LEASE_MAX, WATCH, Clock, clamp
from miniapp.outbox.gate import Gate
from miniapp.outbox.outcomes import Claim, Outcome
from miniapp.outbox.tables import gate as gate_table
from miniapp.outbox.tables import item as item_table
from support.countinghost import SUCCESS, Stub
from support.ledgers import DAY, Make, Settable, drain, people

pytestmark = pytest.mark.slow

PATIENCE = 20.0  # seconds for what takes a moment
BOTH_WAYS = pytest.mark.parametrize("jump", [-DAY, DAY], ids=["back", "ahead"])


@pytest.fixture
def url(either_url: str) -> str:
    return either_url


@pytest.fixture
def clock(outbox: Outbox) -> Settable:
    return Settable(outbox)


class Hands:
    """A clock that only the test can set, also between two readings."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def check(outbox: Outbox, clock: Clock) -> float:
    """Return the ledger's time in a transaction that was committed."""
    with outbox.database.write.connect() as connection:
        for _ in range(3):  # the first one may find a jump, the second one corrects it
            with suppress(OperationalError), clock.writing(connection):
                return float(connection.execute(select(outbox.database.dialect.now)).scalar_one())
    raise AssertionError("The clock is not corrected.")


def held(outbox: Outbox, lease: float = 20.0) -> None:
    """Let a worker that lives begin all items, each with a lease of so many seconds."""
    database = outbox.database
    with database.write.begin() as connection:
        claims = ledger.claim(connection, database, ledger.running(connection, database), "alive", 100, lease)
        ledger.begin(connection, database, claims, "alive", lease)


def shut(outbox: Outbox, seconds: float) -> None:
    """Shut the gate, as a host's Retry-After does."""
    claim = Claim(1, 1, Recipient("user", "alice@onechat.net"), "Hi", "hold", 1, 0)
    with outbox.database.write.begin() as connection:
        Gate(outbox.database, 0, 20).note(connection, [Outcome(claim, "queued", host="busy", host_wait=seconds)])


def opens_in(outbox: Outbox) -> float:
    with outbox.database.read.begin() as connection:
        return float(connection.execute(select(gate_table.c.opens_at - outbox.database.dialect.now)).scalar_one())


@BOTH_WAYS
def test_sending_goes_on(outbox: Outbox, clock: Settable, host: Stub, jump: float) -> None:
    """A worker sends the rest of a bulk soon after a jump, and no faster than its rate allows."""
    outbox.settings = type(outbox.settings)(**{**vars(outbox.settings), "outbox_rate": 100.0})
    bulk = outbox.send(people(400), "Hi").id
    stop = threading.Event()
    jumps = [jump]

    def answer(call: str, to: str) -> tuple[int, bytes, str]:
        if len(host.calls) >= 150 and jumps:
            clock.jump(jumps.pop())
        return 200, SUCCESS, ""

    host.answer = answer
    start = time.monotonic()
    working = threading.Thread(target=outbox.worker().run, args=(stop,))
    working.start()
    last = list(outbox.watch(bulk, PATIENCE))[-1]
    took = time.monotonic() - start
    stop.set()
    working.join(PATIENCE)
    assert (last.state, last.sent) == ("done", 400)
    assert host.count == len(host.accepted) == 400
    assert 1.9 < took < 10.0  # one second's worth is in the bucket at the start, one may be filled in at the jump


@BOTH_WAYS
def test_a_worker_that_lives_keeps_its_leases(outbox: Outbox, clock: Settable, jump: float) -> None:
    """A sweep after a jump takes nothing over; when a lease is truly over, it does."""
    outbox.send(people(5), "Hi")
    hands = Hands()
    mine = Clock(outbox.database, hands)
    check(outbox, mine)
    held(outbox)
    clock.jump(jump)
    check(outbox, mine)
    with outbox.database.write.begin() as connection:
        clamp(connection, outbox.database)
        assert ledger.sweep(connection, outbox.database) == 0
    clock.jump(21)
    hands.now += 21
    check(outbox, mine)
    with outbox.database.write.begin() as connection:
        assert ledger.sweep(connection, outbox.database) == 5


@BOTH_WAYS
def test_a_shut_gate_opens_when_it_was_to(outbox: Outbox, clock: Settable, jump: float) -> None:
    """What the host asked for is neither cut short nor drawn out."""
    mine = Clock(outbox.database)
    check(outbox, mine)
    shut(outbox, 60.0)
    clock.jump(jump)
    check(outbox, mine)
    assert 50 < opens_in(outbox) <= 60 + JUMP


def test_a_jump_is_corrected_once(make: Make, clock: Settable, outbox: Outbox) -> None:
    """Of several workers that see a jump, the first corrects it, the others find it corrected."""
    other = make()
    clock.share(other)
    clocks = [(outbox, Clock(outbox.database)), (other, Clock(other.database))]
    before = [check(*each) for each in clocks]
    clock.jump(DAY)
    after = [check(*each) for each in (*clocks, *clocks)]
    assert after == pytest.approx([before[0]] * 4, abs=PATIENCE)


def test_a_jump_is_logged_once(outbox: Outbox, clock: Settable, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the size of the jump."""
    mine = Clock(outbox.database)
    check(outbox, mine)
    clock.jump(-DAY)
    for _ in range(3):
        check(outbox, mine)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "jumped by -86400.0 s" in caplog.text


def test_a_correction_that_was_rolled_back_is_made_again(outbox: Outbox, clock: Settable) -> None:
    """The database may fail before the correction is committed."""
    mine = Clock(outbox.database)
    before = check(outbox, mine)
    clock.jump(DAY)
    with outbox.database.write.connect() as connection:
        with pytest.raises(OperationalError), mine.writing(connection):
            pass  # sees the jump
        with pytest.raises(ZeroDivisionError), mine.writing(connection):
            raise ZeroDivisionError  # after it was corrected
    assert check(outbox, mine) == pytest.approx(before, abs=PATIENCE)


def test_a_transaction_that_a_jump_falls_into_is_rolled_back(outbox: Outbox, clock: Settable) -> None:
    """No lease is written by a clock that is about to be corrected."""
    bulk = outbox.send(people(3), "Hi").id
    mine, database = Clock(outbox.database), outbox.database
    check(outbox, mine)

    def claim(connection: Connection) -> None:
        with mine.writing(connection):
            connection.execute(text("UPDATE test_clock SET ahead = ahead + 86400"))
            ledger.claim(connection, database, ledger.running(connection, database), "alive", 100, 20.0)

    with database.write.connect() as connection, pytest.raises(OperationalError):
        claim(connection)
    assert outbox.progress(bulk).queued == 3


def test_a_transaction_that_a_correction_falls_into_is_rolled_back(outbox: Outbox, clock: Settable) -> None:
    """Another worker corrects the clock while this one has read the wrong time already."""
    mine = Clock(outbox.database)
    check(outbox, mine)
    correct = text("UPDATE outbox_gate SET skew = skew - 86400")
    with outbox.database.write.connect() as connection, pytest.raises(OperationalError), mine.writing(connection):
        connection.execute(correct)


def test_time_that_passes_is_no_jump(outbox: Outbox, clock: Settable) -> None:
    """Neither hours without a look, nor clocks that drift apart, nor a process that was suspended, are corrected."""
    hands = Hands()
    mine = Clock(outbox.database, hands)
    before = check(outbox, mine)
    clock.jump(DAY)
    hands.now += DAY
    assert check(outbox, mine) == pytest.approx(before + DAY, abs=PATIENCE)
    clock.jump(DAY)
    hands.now += DAY * 0.9995  # NTP slews by that much at most
    check(outbox, mine)
    hands.step = 3600.0  # suspended for an hour between two readings
    clock.jump(3600.0)
    assert check(outbox, mine) == pytest.approx(before + 2 * DAY + 3600, abs=PATIENCE)


def test_workers_that_disagree_come_to_an_end(make: Make, outbox: Outbox, clock: Settable) -> None:
    """A machine whose own clock stood still takes that for a jump; the others follow, and none corrects again."""
    others = make()
    clock.share(others)
    wrong, right = Hands(), Hands()
    mine, theirs = Clock(outbox.database, wrong), Clock(others.database, right)
    check(outbox, mine)
    before = check(others, theirs)
    clock.jump(3600)
    right.now += 3600
    times = [check(*each) for each in [(outbox, mine), (others, theirs)] * 3]
    assert times == pytest.approx([before] * 6, abs=PATIENCE)


def test_a_clock_set_back_while_no_worker_ran(outbox: Outbox, clock: Settable, host: Stub) -> None:
    """What waits for a time that is a day away goes out at once, and the log says so."""
    bulk = outbox.send(people(3), "Hi").id
    shut(outbox, 60.0)
    clock.jump(-DAY)
    assert drain(outbox, bulk).sent == 3


def test_a_lease_from_before_the_clock_was_set_back_ends(outbox: Outbox, clock: Settable) -> None:
    """A dead worker's lease lasts as long as the longest one at most."""
    outbox.send(people(3), "Hi")
    held(outbox)
    clock.jump(-DAY)
    with outbox.database.write.begin() as connection:
        clamp(connection, outbox.database)
    clock.jump(LEASE_MAX + 1)
    with outbox.database.write.begin() as connection:
        assert ledger.sweep(connection, outbox.database) == 3


def test_legitimate_times_are_left_alone(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """The longest wait, lease and Retry-After that there are stay as they are."""
    outbox.send(people(2), "Hi")
    held(outbox, LEASE_MAX)
    bulk = outbox.send(people(2), "Ho").id
    shut(outbox, 3600.0)
    with outbox.database.write.begin() as connection:
        later = outbox.database.dialect.now + BACKOFF_MAX
        connection.execute(update(item_table).where(item_table.c.bulk == bulk).values(due=later))
        query = text("SELECT sum(due) + sum(lease) + (SELECT sum(opens_at) FROM outbox_gate) FROM outbox_item")
        before = connection.execute(query).scalar_one()
        clamp(connection, outbox.database)
        assert connection.execute(query).scalar_one() == before
    assert caplog.records == []


def test_a_new_worker_takes_nothing_over_before_it_watched_the_clock(outbox: Outbox, clock: Settable) -> None:
    """Just after a jump all leases seem to be over to a worker that starts; one that runs corrects it first."""
    outbox.send(people(3), "Hi")
    running = Clock(outbox.database)
    check(outbox, running)
    held(outbox)
    clock.jump(DAY)
    stop = threading.Event()
    starting = threading.Thread(target=outbox.worker().run, args=(stop,))
    starting.start()
    hands = Hands()
    assert not Clock(outbox.database, hands).watched
    stop.wait(WATCH / 2)
    check(outbox, running)
    ends = time.monotonic() + 2 * WATCH
    while time.monotonic() < ends:
        assert outbox.progress(1).sending == 3
        stop.wait(0.1)
    stop.set()
    starting.join(PATIENCE)


def test_people_read_the_databases_own_time(outbox: Outbox, clock: Settable) -> None:
    """When a bulk was accepted and done is told by the clock as it is set, not by the ledger's."""
    mine = Clock(outbox.database)
    check(outbox, mine)
    clock.jump(DAY)
    check(outbox, mine)
    bulk = outbox.send(people(1), "Hi").id
    progress = drain(outbox, bulk)
    assert progress.done_at is not None
    for at in (progress.created_at, progress.done_at):
        assert at - time.time() == pytest.approx(DAY, abs=PATIENCE)
