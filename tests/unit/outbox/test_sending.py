"""Sending what the ledger holds: every answer of the host, leases, policies, people's commands, signals."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import update

from miniapp.errors import HostUnreachable
from miniapp.jid import Recipient
from miniapp.outbox import NoBulkError, Outbox, bulk_done, item_failed, ledger
from miniapp.outbox.gate import Gate
from miniapp.outbox.outcomes import UNKNOWN_LIMIT, Claim, Outcome, backoff, judge
from miniapp.outbox.tables import bulk as bulk_table
from miniapp.outbox.tables import item as item_table
from support.calls import APP_ID, KEY
from support.countinghost import SUCCESS, Answer, Stub
from support.ledgers import Make, drain, people
from support.waiting import until

pytestmark = pytest.mark.slow

ALICE = "alice@onechat.net"
GROUP = "abc-1@muc.onechat.net"
DOMAIN = "onechat.net"


def says(status: int, body: bytes = b"", extra: str = "") -> Answer:
    return lambda call, to: (status, body, extra)


def due_now(outbox: Outbox) -> None:
    """Ends every wait, as if time had passed."""
    with outbox.database.write.begin() as connection:
        connection.execute(update(item_table).where(item_table.c.state == "queued").values(due=0))
        connection.exec_driver_sql("UPDATE outbox_gate SET opens_at = 0")


def held(outbox: Outbox, *, begun: bool) -> list[Claim]:
    """Everything, claimed and perhaps begun by a worker that is never heard of again; its leases are over."""
    with outbox.database.write.begin() as connection:
        running = ledger.running(connection, outbox.database)
        claims = ledger.claim(connection, outbox.database, running, "gone", 100, -1.0)
        return ledger.begin(connection, outbox.database, claims, "gone", -1.0) if begun else claims


def test_each_recipient_gets_it_once_by_its_call(outbox: Outbox, host: Stub) -> None:
    """Users, groups and domains each go by the call that OneChat has for them."""
    bulk = outbox.send([ALICE, GROUP, DOMAIN, *people(50)], "Hi")
    progress = drain(outbox, bulk.id)
    assert (progress.state, progress.sent) == ("done", 53)
    assert host.count == len(host.accepted) == 53
    assert {("singleMessage", ALICE), ("groupMessage", GROUP), ("massBroadcast", DOMAIN)} <= set(host.calls)


def test_two_workers_share_the_work(make: Make, host: Stub) -> None:
    """Whatever the number of workers, no message is sent by two of them."""
    first, second = make(), make()
    bulk = first.send(people(300), "Hi")
    threads = [threading.Thread(target=drain, args=(outbox, bulk.id)) for outbox in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert first.progress(bulk.id).sent == 300
    assert set(host.accepted.values()) == {1}


def test_a_short_bulk_does_not_wait_for_a_long_one(outbox: Outbox, host: Stub) -> None:
    """Bulks share the workers."""
    outbox.send(people(400), "Long")
    outbox.send([ALICE], "Short")
    drain(outbox, 1)
    assert [to for _, to in host.calls].index(ALICE) < 100


class TestAnswers:
    """What each kind of answer does to an item; `docs/delivery.md` has the table."""

    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            (says(400, b'{"status": "Error", "description": "jid: no such user"}'), "refused"),
            (says(200, b'{"status": "Error", "description": "jid: no such user"}'), "refused"),
            (says(503), "unknown"),
            (says(200, b"<html>"), "unknown"),
            (says(302, b"", "Location: /x\r\n"), "unknown"),
        ],
    )
    def test_final_ones(self, outbox: Outbox, host: Stub, answer: Answer, state: str) -> None:
        """A refusal is final; after anything that says nothing, `hold` leaves the item to a person."""
        host.answer = answer
        bulk = outbox.send([ALICE, DOMAIN], "Hi")
        progress = drain(outbox, bulk.id)
        assert (progress.state, getattr(progress, state)) == ("done", 2)
        assert len(host.calls) == 2
        item = next(outbox.items(bulk.id))
        assert item.state == state
        assert item.answer

    def test_resend_repeats_what_may_have_arrived(self, outbox: Outbox, host: Stub) -> None:
        """With `resend` a 5xx or nonsense is followed by another attempt, but not for a domain."""
        host.answer = says(500)
        bulk = outbox.send([ALICE, DOMAIN], "Hi", policy="resend")
        progress = drain(outbox, bulk.id)
        assert (progress.queued, progress.unknown) == (1, 1)
        host.answer = says(200, SUCCESS)
        due_now(outbox)
        progress = drain(outbox, bulk.id)
        assert (progress.state, progress.sent, progress.unknown) == ("done", 1, 1)
        assert [to for _, to in host.calls].count(DOMAIN) == 1

    def test_resend_gives_up_one_day(self, outbox: Outbox, host: Stub) -> None:
        """After five attempts that may have arrived, the item is left to a person."""
        host.answer = says(200, b"{}")
        bulk = outbox.send([ALICE], "Hi", policy="resend")
        for _ in range(UNKNOWN_LIMIT + 1):
            due_now(outbox)
            drain(outbox, bulk.id)
        assert outbox.progress(bulk.id).unknown == 1
        assert len(host.calls) == UNKNOWN_LIMIT

    def test_busy_hosts_are_waited_for(self, outbox: Outbox, host: Stub) -> None:
        """A 429 did nothing: the item stays queued, and no worker sends before the end of Retry-After."""
        host.answer = says(429, b"", "Retry-After: 60\r\n")
        bulk = outbox.send(people(30), "Hi")
        work(outbox, lambda: len(host.calls) >= 1)
        assert 1 <= len(host.calls) <= outbox.settings.outbox_concurrency  # those that were on their way
        assert outbox.progress(bulk.id).queued == 30
        host.answer = says(200, SUCCESS)
        due_now(outbox)
        assert drain(outbox, bulk.id).sent == 30

    @pytest.mark.parametrize(
        "answer",
        [
            says(401, b'{"status": "Error", "description": "Unauthorized"}'),
            says(403),
            says(200, b'{"status": "Error", "description": "Unauthorized"}'),
        ],
    )
    def test_a_refused_app_pauses_the_bulk(self, outbox: Outbox, host: Stub, answer: Answer) -> None:
        """That the app is refused says nothing of the recipients: none is given up, and a person is told why."""
        host.answer = answer
        bulk = outbox.send(people(100), "Hi")
        progress = drain(outbox, bulk.id)
        assert (progress.state, progress.waiting, progress.refused) == ("paused", 100, 0)
        assert "resume" in progress.note
        host.answer = says(200, SUCCESS)
        outbox.resume(bulk.id)
        assert drain(outbox, bulk.id).sent == 100

    def test_a_host_that_is_down_costs_nothing(self, make: Make) -> None:
        """While connections are refused all stays queued, few calls are tried, and it goes on once the host is back."""
        with Stub() as gone:
            port = gone.port
        outbox = make(api_url=f"http://127.0.0.1:{port}/onechat/api")
        bulk = outbox.send(people(200), "Hi")
        work(outbox, lambda: any(item.attempts for item in outbox.items(bulk.id)))
        progress = outbox.progress(bulk.id)
        assert progress.waiting == 200
        assert sum(item.attempts for item in outbox.items(bulk.id)) <= 30
        with Stub(port=port) as back:
            due_now(outbox)
            assert drain(outbox, bulk.id).sent == 200
            assert set(back.accepted.values()) == {1}

    def test_what_no_code_foresaw_may_have_arrived(self) -> None:
        """An error that is not one of ours leaves the outcome open."""
        claim = Claim(1, 1, Recipient("user", ALICE), "Hi", "hold", 1, 0)
        assert judge(claim, ZeroDivisionError()).state == "unknown"

    def test_a_domain_is_never_tried_again(self) -> None:
        """Not even where the call surely never left: the person who confirmed the broadcast decides."""
        claim = Claim(1, 1, Recipient("domain", DOMAIN), "Hi", "resend", 1, 0)
        assert judge(claim, HostUnreachable("x", call="massBroadcast", maybe_done=False)).state == "refused"
        assert judge(claim, HostUnreachable("x", call="massBroadcast", maybe_done=True)).state == "unknown"


def work(outbox: Outbox, condition: Callable[[], bool]) -> None:
    """Run a worker until `condition()` is true."""
    stop = threading.Event()
    thread = threading.Thread(target=outbox.work, args=(stop,))
    thread.start()
    try:
        until(condition)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


class TestLeases:
    def test_what_was_not_begun_is_taken_again(self, outbox: Outbox, host: Stub) -> None:
        """Items that a dead worker had leased go out once, under either policy."""
        bulk = outbox.send(people(5), "Hi")
        assert len(held(outbox, begun=False)) == 5
        assert drain(outbox, bulk.id).sent == 5
        assert host.count == 5

    @pytest.mark.parametrize(("policy", "sent", "unknown"), [("hold", 0, 5), ("resend", 5, 0)])
    def test_the_policy_decides_about_what_was_begun(
        self, outbox: Outbox, host: Stub, policy: str, sent: int, unknown: int
    ) -> None:
        """It is unknown whether a dead worker sent them: `hold` says so, `resend` repeats them."""
        bulk = outbox.send(people(5), "Hi", policy=policy)  # type: ignore[arg-type]
        assert len(held(outbox, begun=True)) == 5
        progress = drain(outbox, bulk.id)
        assert (progress.state, progress.sent, progress.unknown) == ("done", sent, unknown)
        assert host.count == sent

    def test_a_domain_that_was_begun_is_never_repeated(self, outbox: Outbox, host: Stub) -> None:
        """Whatever the policy, a broadcast whose worker died is for a person."""
        bulk = outbox.send([DOMAIN], "Hi", policy="resend")
        held(outbox, begun=True)
        assert drain(outbox, bulk.id).unknown == 1
        assert host.calls == []
        assert outbox.retry(bulk.id, "unknown") == 0
        assert outbox.retry(bulk.id, "unknown", broadcasts=True) == 1
        assert drain(outbox, bulk.id).sent == 1

    def test_an_answer_that_comes_late_counts(self, outbox: Outbox) -> None:
        """A worker that was slow, not dead, still tells what came of its send."""
        bulk = outbox.send([ALICE], "Hi")
        [claim] = held(outbox, begun=True)
        drain(outbox, bulk.id)
        assert outbox.progress(bulk.id).unknown == 1
        with outbox.database.write.begin() as connection:
            ledger.record(connection, outbox.database, [judge(claim, None)], "gone")
        assert outbox.progress(bulk.id).sent == 1

    def test_an_answer_that_comes_after_another_worker_took_over_does_not(self, outbox: Outbox) -> None:
        """Of two workers that had an item, the last one has the word."""
        bulk = outbox.send([ALICE], "Hi", policy="resend")
        [claim] = held(outbox, begun=True)
        with outbox.database.write.begin() as connection:
            ledger.sweep(connection, outbox.database)
            running = ledger.running(connection, outbox.database)
            claims = ledger.claim(connection, outbox.database, running, "other", 1, 60)
            ledger.begin(connection, outbox.database, claims, "other", 60)
            error = HostUnreachable("x", call="singleMessage", maybe_done=False)
            ledger.record(connection, outbox.database, [judge(claim, error)], "gone")
        assert outbox.progress(bulk.id).sending == 1

    def test_a_lease_that_is_over_is_not_begun(self, outbox: Outbox) -> None:
        """Who comes back after its lease was swept gets nothing to send."""
        outbox.send([ALICE], "Hi")
        claims = held(outbox, begun=False)
        with outbox.database.write.begin() as connection:
            assert ledger.sweep(connection, outbox.database) == 1
            assert ledger.begin(connection, outbox.database, claims, "gone", 60) == []

    def test_stopping_gives_back_what_was_leased(self, outbox: Outbox, host: Stub) -> None:
        """After a worker was told to stop, nothing is leased or on its way."""
        host.slowness = 0.05
        bulk = outbox.send(people(300), "Hi")
        work(outbox, lambda: host.count > 10)
        progress = outbox.progress(bulk.id)
        assert (progress.leased, progress.sending) == (0, 0)
        assert progress.sent == host.count < 300


class TestPeople:
    def test_pause_and_resume(self, outbox: Outbox, host: Stub) -> None:
        """A paused bulk sends nothing, also what was leased before; resumed it goes on."""
        bulk = outbox.send(people(20), "Hi")
        outbox.pause(bulk.id)
        assert drain(outbox, bulk.id).state == "paused"
        assert host.calls == []
        outbox.resume(bulk.id)
        assert drain(outbox, bulk.id).state == "done"

    def test_a_pause_reaches_a_worker_that_has_items_leased(self, outbox: Outbox) -> None:
        """What is leased is begun only if its bulk still runs."""
        bulk = outbox.send(people(5), "Hi")
        claims = held(outbox, begun=False)
        outbox.pause(bulk.id)
        with outbox.database.write.begin() as connection:
            assert ledger.begin(connection, outbox.database, claims, "gone", 60) == []

    def test_cancel(self, outbox: Outbox, host: Stub) -> None:
        """A cancelled bulk never goes on."""
        bulk = outbox.send(people(20), "Hi")
        outbox.cancel(bulk.id)
        assert drain(outbox, bulk.id).state == "cancelled"
        assert host.calls == []
        for again in (outbox.resume, outbox.pause):
            with pytest.raises(NoBulkError, match="cancelled"):
                again(bulk.id)
        with pytest.raises(NoBulkError, match="cancelled"):
            outbox.retry(bulk.id, "unknown")

    def test_retry(self, outbox: Outbox, host: Stub) -> None:
        """Failed items are queued again on a person's word, and the bulk runs again."""
        host.answer = says(400, b'{"status": "Error", "description": "no"}')
        bulk = outbox.send(people(3), "Hi")
        assert drain(outbox, bulk.id).refused == 3
        host.answer = says(200, SUCCESS)
        assert outbox.retry(bulk.id, "refused") == 3
        assert outbox.progress(bulk.id).state == "running"
        assert drain(outbox, bulk.id).sent == 3

    def test_a_bulk_that_is_not_there(self, outbox: Outbox) -> None:
        """Every command on it says so."""
        for command in (outbox.progress, outbox.pause, outbox.resume, outbox.cancel, outbox.retry):
            with pytest.raises(NoBulkError, match="no bulk 7"):
                command(7)

    def test_old_bulks_can_be_forgotten(self, outbox: Outbox) -> None:
        """Those that have ended are deleted with their items; those that have not stay."""
        done, waiting = outbox.send(people(2), "Hi"), outbox.send(people(2), "Ho")
        outbox.pause(waiting.id)
        drain(outbox, done.id)
        assert outbox.forget(days=1) == 0
        with outbox.database.write.begin() as connection:
            connection.execute(update(bulk_table).values(done_at=0, created_at=0))
        assert outbox.forget(days=1) == 1
        assert [progress.id for progress in outbox.list()] == [waiting.id]
        assert outbox.send(people(1), "New").id > waiting.id


def test_signals(outbox: Outbox, host: Stub) -> None:
    """`item_failed` tells of each item that failed, `bulk_done` of the end; a receiver that fails stops nothing."""
    host.answer = lambda call, to: (500, b"", "") if to == ALICE else (200, SUCCESS, "")
    failed, done = [], []

    def on_failed(sender: Outbox, **what: object) -> None:
        failed.append(what)
        raise ZeroDivisionError

    def on_done(sender: Outbox, bulk: object) -> None:
        done.append(bulk)

    with item_failed.connected_to(on_failed, outbox), bulk_done.connected_to(on_done, outbox):
        bulk = outbox.send([ALICE, *people(20)], "Hi")
        drain(outbox, bulk.id)
    assert [(what["jid"], what["state"]) for what in failed] == [(ALICE, "unknown")]
    assert [(progress.id, progress.sent, progress.unknown) for progress in done] == [(bulk.id, 20, 1)]


def test_the_rate_is_for_all_workers_together(make: Make, host: Stub) -> None:
    """Two workers at 100 a second send about 100 a second, not 200."""
    first, second = make(outbox_rate=100.0), make(outbox_rate=100.0)
    bulk = first.send(people(300), "Hi")
    start = time.monotonic()
    threads = [threading.Thread(target=drain, args=(outbox, bulk.id)) for outbox in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert first.progress(bulk.id).sent == 300
    assert time.monotonic() - start > 1.9  # the first second's worth is in the bucket at the start


def test_back_off_doubles_up_to_a_limit() -> None:
    """Each wait is between half and all of a doubled one, and a minute at most."""
    for failures in range(1, 40):
        most = min(60.0, 2.0 ** (failures - 1))
        assert most / 2 <= backoff(failures) <= most


def test_a_worker_that_stopped_at_a_shut_gate_asks_again(outbox: Outbox, host: Stub) -> None:
    """In its next run it finds the gate open. On Postgres each job is a run of the same worker."""
    host.answer = says(429, b"", "Retry-After: 60\r\n")
    bulk = outbox.send(people(3), "Hi").id
    worker = outbox.worker()
    for _ in range(2):
        worker.run(threading.Event(), only=bulk, drain=True)
    host.answer = says(200, SUCCESS)
    due_now(outbox)
    worker.run(threading.Event(), only=bulk, drain=True)
    assert outbox.progress(bulk).sent == 3


def test_the_thread_of_the_app_sends(make: Make, host: Stub) -> None:
    """With `thread`, what is accepted goes out without any other process, and `stop` ends the thread."""
    outbox = make(outbox_worker="thread")
    bulk = outbox.send(people(50), "Hi")
    for progress in outbox.watch(bulk.id, 20):
        last = progress
    assert (last.state, last.sent) == ("done", 50)
    outbox.stop()
    assert "miniapp-outbox" not in {thread.name for thread in threading.enumerate()}


def test_a_process_that_ends_leaves_nothing_in_doubt(make: Make, host: Stub, url: str) -> None:
    """When an app ends in the middle of sending, its thread ends what is on its way, and gives the rest back."""
    host.slowness = 0.05
    outbox = make()
    bulk = outbox.send(people(500), "Hi")
    script = (
        "import sys, time\n"
        "from miniapp.outbox import Outbox\n"
        "from miniapp.settings import Settings\n"
        "outbox = Outbox(Settings.read({}))\n"
        "outbox.start()\n"
        "next(p for p in outbox.watch(1) if p.sent > 20)\n"
    )
    settings = {"OUTBOX_URL": url, "OUTBOX_RATE": "0", "API_URL": host.url, "APP_ID": APP_ID, "API_KEY": KEY}
    env = {f"ONECHAT_{name}": value for name, value in settings.items()}
    subprocess.run([sys.executable, "-c", script], env=env, check=True, timeout=60)
    progress = outbox.progress(bulk.id)
    assert (progress.leased, progress.sending, progress.unknown) == (0, 0, 0)
    assert progress.sent == host.count < 500


class TestGate:
    """The one row that all workers ask: what it lets through while the host is down or asks for a pause."""

    @staticmethod
    def note(outbox: Outbox, *hosts: str, wait: float | None = None) -> None:
        claim = Claim(1, 1, Recipient("user", ALICE), "Hi", "hold", 1, 0)
        outcomes = [Outcome(claim, "queued", host=host, host_wait=wait) for host in hosts]  # type: ignore[arg-type]
        with outbox.database.write.begin() as connection:
            Gate(outbox.database, 0, 20).note(connection, outcomes)

    @staticmethod
    def take(outbox: Outbox, most: int = 8, rate: float = 0.0) -> tuple[int, float]:
        with outbox.database.write.begin() as connection:
            return Gate(outbox.database, rate, 20).take(connection, most)

    def test_it_is_open(self, outbox: Outbox) -> None:
        """Without limit and trouble everything goes through."""
        assert self.take(outbox) == (8, 0.0)

    def test_some_failures_leave_it_open(self, outbox: Outbox) -> None:
        """Four in a row, or more with a success between them, are no outage."""
        self.note(outbox, "down", "down", "down", "down")
        self.note(outbox, "up", "down", "down", "down", "down")
        assert self.take(outbox)[0] == 8

    def test_five_in_a_row_shut_it(self, outbox: Outbox, make: Make) -> None:
        """Then no worker sends for a while, whichever process saw the failures."""
        self.note(outbox, "down", "down", "down", "down", "down")
        allowed, wait = self.take(make())
        assert allowed == 0
        assert 0 < wait <= 0.5

    def test_one_call_probes(self, outbox: Outbox) -> None:
        """After the pause a single call goes through; a success opens the gate, a failure shuts it for longer."""
        self.note(outbox, *["down"] * 5)
        due_now(outbox)
        assert self.take(outbox)[0] == 1
        assert self.take(outbox)[0] == 0
        self.note(outbox, "down")
        due_now(outbox)
        assert self.take(outbox)[0] == 1
        self.note(outbox, "up")
        assert self.take(outbox)[0] == 8

    def test_it_never_shuts_for_long(self, outbox: Outbox) -> None:
        """However long a host was down, it is noticed within five seconds that it is back."""
        self.note(outbox, *["down"] * 500)
        assert 2.4 < self.take(outbox)[1] <= 5

    def test_a_busy_host_is_given_its_time(self, outbox: Outbox) -> None:
        """What Retry-After says holds for all, also if a call that was on its way succeeds meanwhile."""
        self.note(outbox, "busy", "up", wait=30.0)
        allowed, wait = self.take(outbox)
        assert allowed == 0
        assert 29 < wait <= 30

    def test_the_bucket_holds_a_seconds_worth(self, outbox: Outbox) -> None:
        """After any time of rest, no more goes out at once than in a second; then the next is a moment away."""
        assert self.take(outbox, 1000, rate=100.0)[0] == 100
        allowed, wait = self.take(outbox, 1000, rate=1.0)
        assert allowed <= 1
        assert wait <= 1
