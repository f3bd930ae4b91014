"""Threads that send: all of them where the host takes its time, one alone where it does not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from queue import SimpleQueue

import pytest
from countinghost import SUCCESS, Stub
from ledgers import Make, drain, people

from miniapp.outbox import senders
from miniapp.outbox.senders import AGAIN_MAX, AGAIN_MIN, ENOUGH, FULL, LOOK, Senders

THREADS, ALL = 4, 300
TIMEOUT = 20.0
"""Seconds after which a test that hangs fails."""
STEP = 2 * LOOK
"""Seconds from one look to the next."""


class Clock:
    """Stands in for `time`: the test moves its hands, and each thread its own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._local = threading.local()

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return getattr(self._local, "spent", 0.0)

    def spend(self, seconds: float) -> None:
        self._local.spent = self.thread_time() + seconds


class Crew(Senders[Callable[[], object]]):
    """Senders whose items are what a thread is to do."""

    def __init__(self, clock: Clock, most: int) -> None:
        super().__init__(most)
        self.clock = clock
        self.by: list[int] = []
        """The thread of each item that is done."""
        self._done: SimpleQueue[None] = SimpleQueue()

    def _sent(self, spent: float) -> None:
        super()._sent(spent)
        self.by.append(threading.get_ident())
        self._done.put(None)

    def at_work(self) -> AbstractContextManager[None]:
        return self.sending(lambda do: do())

    def do(self, *items: Callable[[], object]) -> None:
        """Puts them and waits until they are done."""
        for item in items:
            self.put(item)
        for _ in items:
            self._done.get(timeout=TIMEOUT)

    def after(self, busy: float, step: float = STEP) -> int:
        """How many send after a look, before which they were that busy."""
        self.do(lambda: self.clock.spend(busy * step))
        self.clock.now += step
        self.look()
        return self.count


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(senders, "time", clock)
    return clock


@pytest.fixture
def crew(clock: Clock) -> Iterator[Crew]:
    crew = Crew(clock, THREADS)
    with crew.at_work():
        yield crew


def are_together(crew: Crew) -> bool:
    """As many items as there are threads can wait for each other."""
    barrier = threading.Barrier(THREADS)
    crew.do(*[lambda: barrier.wait(TIMEOUT)] * THREADS)
    return not barrier.broken


def test_all_send_side_by_side(crew: Crew) -> None:
    assert crew.count == THREADS
    assert are_together(crew)


def test_one_is_left_alone_while_it_is_at_work(crew: Crew) -> None:
    """The others take the item that they were waiting for, and no more."""
    assert crew.after(FULL + 0.1) == 1
    crew.by.clear()
    for _ in range(100):
        crew.do(lambda: None)
    (_, most), *others = Counter(crew.by).most_common()
    assert most >= 100 - (THREADS - 1)
    assert all(count == 1 for _, count in others)
    assert [crew.after(ENOUGH + 0.1) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("busy", [0, ENOUGH - 0.1])
def test_the_others_come_back_when_it_waits(crew: Crew, busy: float) -> None:
    assert crew.after(FULL + 0.1) == 1
    assert crew.after(busy) == THREADS
    assert are_together(crew)


def test_all_stay_while_there_is_something_to_wait_for(crew: Crew) -> None:
    assert [crew.after(FULL - 0.1) for _ in range(20)] == [THREADS] * 20


def test_the_time_of_whoever_looks_counts_too(crew: Crew) -> None:
    """It wants the interpreter as they do."""
    crew.clock.spend(STEP * 0.5)
    assert crew.after(FULL - 0.4) == 1


def test_nothing_is_decided_on_a_few_calls(crew: Crew) -> None:
    assert crew.after(2, step=LOOK / 2) == THREADS


def test_one_alone_is_tried_less_and_less(crew: Crew) -> None:
    """A host for which it is worth waiting together loses little by it."""
    tried = []
    while len(tried) < 5:
        if crew.after(FULL + 0.1) == 1:
            tried.append(crew.clock.now)
            assert crew.after(ENOUGH - 0.1) == THREADS
    waits = [after - before for before, after in pairwise(tried)]
    assert waits == pytest.approx([AGAIN_MIN, 4 * AGAIN_MIN, 16 * AGAIN_MIN, AGAIN_MAX], abs=3 * STEP)


def test_a_host_that_got_quick_is_found(crew: Crew) -> None:
    """Once one alone was enough, the next trial is soon again."""
    for busy in (ENOUGH - 0.1, ENOUGH + 0.1):
        while crew.after(FULL + 0.1) != 1:
            pass
        crew.after(busy)
    assert crew.after(0) == THREADS
    since = crew.clock.now
    while crew.after(FULL + 0.1) != 1:
        pass
    assert crew.clock.now - since == pytest.approx(AGAIN_MIN, abs=2 * STEP)


def test_a_single_thread_is_always_alone(clock: Clock) -> None:
    crew = Crew(clock, 1)
    with crew.at_work():
        assert [crew.after(busy) for busy in (2, 0, 2)] == [1, 1, 1]


@pytest.mark.parametrize("alone", [False, True], ids=["together", "alone"])
def test_all_that_was_put_is_sent_at_the_end(clock: Clock, alone: bool) -> None:
    crew = Crew(clock, THREADS)
    with crew.at_work():
        assert crew.after(FULL + 0.1 if alone else 0) == (1 if alone else THREADS)
        for _ in range(ALL):
            crew.put(lambda: None)
    assert len(crew.by) == ALL + 1


def test_it_can_begin_again(clock: Clock) -> None:
    """A worker that stopped while one was alone runs again with all of them."""
    crew = Crew(clock, THREADS)
    with crew.at_work():
        assert crew.after(FULL + 0.1) == 1
    with crew.at_work():
        assert crew.count == THREADS
        assert are_together(crew)


@pytest.mark.parametrize(
    ("full", "enough"), [(-1.0, -1.0), (-1.0, 1e9)], ids=["always alone", "now alone, now together"]
)
def test_each_message_is_sent_once(
    make: Make, host: Stub, monkeypatch: pytest.MonkeyPatch, full: float, enough: float
) -> None:
    for name, value in {"FULL": full, "ENOUGH": enough, "LOOK": 0.001, "AGAIN_MAX": 0.0, "AGAIN_MIN": 0.0}.items():
        monkeypatch.setattr(senders, name, value)
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    assert drain(outbox, bulk.id).sent == ALL
    assert host.count == len(host.accepted) == ALL


def test_a_host_that_hangs_is_waited_for_side_by_side(make: Make, host: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """One was alone when the host stopped answering: the others come without an answer to any."""
    for name, value in {"FULL": -1.0, "ENOUGH": -1.0, "LOOK": 0.001}.items():
        monkeypatch.setattr(senders, name, value)
    outbox = make(outbox_concurrency=THREADS)
    bulk = outbox.send(people(ALL), "Hi")
    hanging, came = threading.Event(), threading.Event()

    def answer(call: str, to: str) -> tuple[int, bytes, str]:
        if hanging.is_set():
            came.set()
        elif len(host.calls) > ALL // 2:
            hanging.set()
            monkeypatch.setattr(senders, "ENOUGH", ENOUGH)
            assert came.wait(TIMEOUT)
        return 200, SUCCESS, ""

    host.answer = answer
    assert drain(outbox, bulk.id).sent == ALL
    assert came.is_set()
