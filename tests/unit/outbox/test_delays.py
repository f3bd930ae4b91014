"""Why nothing goes out, and until when: in the commands, the log, as JSON; how a person opens the gate."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from miniapp.errors import HostBusy
from miniapp.jid import Recipient
from miniapp.outbox import Outbox, ledger
from miniapp.outbox.gate import BREAKER, Gate
from miniapp.outbox.outcomes import BUSY_WAIT, Claim, Outcome, judge
from miniapp.outbox.tables import gate as gate_table
from miniapp.outbox.tables import item as item_table
from support.commands import CTRL_C, PATIENCE, Run, at_terminal
from support.countinghost import SUCCESS, Answer, Stub
from support.ledgers import Make, drain, people
from support.waiting import until

pytestmark = pytest.mark.slow

LEFT = 6  # the exit code of a drain that leaves messages
CAP = 3600  # seconds that a Retry-After counts at most


def asks(retry_after: str) -> Answer:
    return lambda call, to: (429, b"", f"Retry-After: {retry_after}\r\n")


def note(outbox: Outbox, *hosts: str, wait: float | None = None) -> None:
    """Tells the gate what a worker saw."""
    claim = Claim(1, 1, Recipient("user", "alice@onechat.net"), "Hi", "hold", 1, 0)
    outcomes = [Outcome(claim, "queued", host=host, host_wait=wait) for host in hosts]  # type: ignore[arg-type]
    with outbox.database.write.begin() as connection:
        Gate(outbox.database, 0, 20).note(connection, outcomes)


def age(outbox: Outbox, seconds: float) -> None:
    """Makes everything in the ledger older, as if so much time had passed."""
    with outbox.database.write.begin() as connection:
        connection.execute(update(item_table).values(due=item_table.c.due - seconds))
        connection.execute(update(gate_table).values(opens_at=gate_table.c.opens_at - seconds))


class TestRetryAfter:
    def test_a_day_is_told_of_and_can_be_ended(self, run: Run, env: dict[str, str], outbox: Outbox, host: Stub) -> None:
        """`Retry-After: 86400` counts for an hour; drain, list, show and JSON say so; `open` sends at once."""
        host.answer = asks("86400")
        outbox.send(people(30), "Hi")
        drained = run("worker", "--drain", env=env)
        assert drained.exit_code == LEFT
        assert "30 message(s) of 1 bulk(s) are left to send. Nothing goes out until 2" in drained.output
        for command in (["list"], ["show", "1"]):
            said = run("outbox", *command, env=env).output
            assert "Nothing goes out until 2" in said
            assert "HTTP 429" in said
            assert "miniapp outbox open" in said
        [listed] = json.loads(run("outbox", "list", "--json", env=env).output)
        shown = json.loads(run("outbox", "show", "1", "--json", env=env).output)
        for document in (listed, shown):
            assert document["delay"]["reason"] == "host_busy"
            assert CAP - 60 < document["delay"]["until"] - time.time() <= CAP
        host.answer = lambda call, to: (200, SUCCESS, "")
        assert run("worker", "--drain", env=env).exit_code == LEFT
        assert host.count == 0
        assert "messages go out now" in run("outbox", "open", env=env).output
        assert run("worker", "--drain", env=env).exit_code == 0
        assert host.count == 30
        assert "Nothing" not in run("outbox", "list", env=env).output
        assert "neither" in run("outbox", "open", env=env).output

    @pytest.mark.parametrize("retry_after", ["0", "-5", "soon", "", "1e9", formatdate(0, usegmt=True)])
    def test_one_that_names_no_time_is_a_short_wait(self, outbox: Outbox, host: Stub, retry_after: str) -> None:
        """A host that answers 429 gets a pause even where Retry-After is zero, past or nonsense: no flood of calls."""
        busy, most = asks(retry_after), 200
        host.answer = lambda call, to: busy(call, to) if len(host.calls) < most else (200, SUCCESS, "")
        outbox.send(people(30), "Hi")
        drain(outbox, 1)
        assert len(host.calls) <= outbox.settings.outbox_concurrency
        delay = outbox.progress(1).delay
        assert delay is not None
        assert delay.reason == "host_busy"
        error = HostBusy("x", call="singleMessage", status=429, retry_after=0.0)
        assert judge(Claim(1, 1, Recipient("user", "a@b"), "Hi", "hold", 1, 0), error).host_wait == BUSY_WAIT

    def test_a_date_counts(self, outbox: Outbox, host: Stub) -> None:
        """An HTTP date tells the end of the pause."""
        host.answer = asks(formatdate(time.time() + 600, usegmt=True))
        outbox.send(people(1), "Hi")
        delay = drain(outbox, 1).delay
        assert delay is not None
        assert delay.until is not None
        assert 590 < delay.until - time.time() <= 600

    def test_a_host_that_asks_to_wait_is_not_down(self, outbox: Outbox) -> None:
        """A 429 after failures says that the host answers: the pause is its wish, and so it is called."""
        note(outbox, *["down"] * BREAKER)
        note(outbox, "busy", wait=600.0)
        delay = outbox.closed()
        assert delay is not None
        assert delay.reason == "host_busy"


class TestReasons:
    """Each reason for which a bulk's messages wait."""

    @staticmethod
    def reason(outbox: Outbox, bulk: int = 1) -> str | None:
        delay = outbox.progress(bulk).delay
        return None if delay is None else delay.reason

    def test_unreachable(self, run: Run, env: dict[str, str], outbox: Outbox) -> None:
        """After failures in a row the host counts as unreachable, while it is probed; `open` makes one call go now."""
        outbox.send(people(20), "Hi")
        note(outbox, *["down"] * (BREAKER - 1))
        assert self.reason(outbox) is None
        note(outbox, "down")
        assert self.reason(outbox) == "host_unreachable"
        assert f"{BREAKER} calls in a row" in run("outbox", "list", env=env).output
        assert "One call tries OneChat now" in run("outbox", "open", env=env).output
        with outbox.database.write.begin() as connection:
            assert Gate(outbox.database, 0, 20).take(connection, 8) == (1, 0.0)
        age(outbox, 60)  # and now no worker probes any more
        assert self.reason(outbox) == "no_worker"

    def test_no_worker(self, run: Run, env: dict[str, str], outbox: Outbox) -> None:
        """What could have gone out for a while and is with no worker: none runs. A lease on any item shows one."""
        outbox.send(people(20), "Hi")
        outbox.send(people(20), "Ho")
        assert self.reason(outbox) is None
        age(outbox, 60)
        assert self.reason(outbox) == "no_worker"
        assert run("outbox", "list", env=env).output.count("Start `miniapp worker`") == 1
        with outbox.database.write.begin() as connection:
            running = ledger.running(connection, outbox.database, only=2)
            ledger.claim(connection, outbox.database, running, "one", 1, 60)
        assert self.reason(outbox) is None

    def test_rate(self, make: Make) -> None:
        """A rate limit of few messages an hour is a reason; one of many a second is none."""
        slow = make(outbox_rate=0.001)
        slow.send(people(20), "Hi")
        assert self.reason(slow) is None  # a second's worth may go out at any time
        with slow.database.write.begin() as connection:
            assert Gate(slow.database, 0.001, 20).take(connection, 8) == (1, 0.0)
        assert self.reason(slow) == "rate"
        assert self.reason(make(outbox_rate=50.0)) is None

    def test_paused(self, run: Run, env: dict[str, str], outbox: Outbox, host: Stub) -> None:
        """A paused bulk says so, with the worker's note if one paused it; its messages count as left."""
        host.answer = lambda call, to: (401, b"", "")
        outbox.send(people(20), "Hi")
        drained = run("worker", "--drain", env=env)
        assert drained.exit_code == LEFT
        assert "Bulk 1 is paused: " in drained.output
        assert "outbox resume 1" in run("outbox", "show", "1", env=env).output
        outbox.cancel(1)
        assert self.reason(outbox) is None
        assert run("worker", "--drain", env=env).exit_code == 0

    def test_retry(self, outbox: Outbox, host: Stub) -> None:
        """Where all that is left waits for its next attempt, the reason says when that is."""
        host.answer = lambda call, to: (200, b"<html>", "")
        outbox.send(people(1), "Hi", policy="resend")
        delay = drain(outbox, 1).delay
        assert delay is not None
        assert delay.reason == "retry"
        assert delay.until is not None
        assert 0 < delay.until - time.time() <= 60

    def test_held_by_others(self, run: Run, env: dict[str, str], outbox: Outbox) -> None:
        """A drain that leaves what another worker holds says that."""
        outbox.send(people(2), "Hi")
        with outbox.database.write.begin() as connection:
            running = ledger.running(connection, outbox.database)
            ledger.claim(connection, outbox.database, running, "other", 2, 60)
        drained = run("worker", "--drain", env=env)
        assert drained.exit_code == LEFT
        assert "Other workers hold them." in drained.output

    def test_bulks_beyond_the_list(self, run: Run, env: dict[str, str], outbox: Outbox) -> None:
        """`list` says that the gate is closed also where the bulk that waits is too old to be listed."""
        outbox.send(people(1), "Hi")
        outbox.send([], "Ho")
        note(outbox, "busy", wait=600.0)
        assert "Nothing goes out" in run("outbox", "list", "--limit", "1", env=env).output


class TestTelling:
    def test_the_log_tells_once_for_each_closing(
        self, outbox: Outbox, host: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the gate is closed the log has one line about it, however many turns pass; another once it is open."""
        asked: list[None] = []
        take = Gate.take
        monkeypatch.setattr(Gate, "take", lambda *args: asked.append(None) or take(*args))
        host.answer = asks("600")
        outbox.send(people(100), "Hi")
        with working(outbox):
            assert until(lambda: "Nothing goes out" in caplog.text)
            before = len(asked)
            assert until(lambda: len(asked) >= before + 3)
            assert caplog.text.count("Nothing goes out until") == 1
            host.answer = lambda call, to: (200, SUCCESS, "")
            outbox.open()
            assert until(lambda: "takes messages again" in caplog.text)
        assert caplog.text.count("Nothing goes out until") == 1
        assert caplog.text.count("takes messages again") == 1

    def test_an_outage_is_one_closing(self, make: Make, caplog: pytest.LogCaptureFixture) -> None:
        """Probes that fail shut the gate again and again: that is one outage, told of once."""
        with Stub() as gone:
            port = gone.port
        outbox = make(api_url=f"http://127.0.0.1:{port}/onechat/api")
        outbox.send(people(20), "Hi")

        def failures() -> int:
            with outbox.database.read.begin() as connection:
                return int(connection.exec_driver_sql("SELECT failures FROM outbox_gate").scalar_one())

        with working(outbox):
            assert until(lambda: failures() >= BREAKER + 2)
        assert caplog.text.count("calls in a row") == 1

    def test_the_workers_own_output(self, env: dict[str, str], outbox: Outbox, host: Stub, tmp_path: Path) -> None:
        """`miniapp worker` says on standard error why it does not send."""
        host.answer = asks("600")
        outbox.send(people(10), "Hi")
        with running("worker", cwd=tmp_path, env=env) as process:
            assert process.stderr.readline().startswith("Nothing goes out until ")

    def test_waiting_for_a_bulk_says_why(self, env: dict[str, str], outbox: Outbox, tmp_path: Path) -> None:
        """`show --wait` tells once why nothing goes out, with a bar and without, and then waits on."""
        outbox.send(people(10), "Hi")
        note(outbox, "busy", wait=600.0)
        with running("outbox", "show", "1", "--wait", cwd=tmp_path, env=env) as process:
            assert process.stderr.readline().startswith("Nothing goes out until ")
            assert process.poll() is None
            outbox.cancel(1)
            assert process.stderr.read() == ""
        outbox.send(people(10), "Ho")
        _, shown = at_terminal(
            [("Nothing goes", CTRL_C.decode())], "outbox", "show", "2", "--wait", cwd=tmp_path, env=env
        )
        assert "Nothing goes out until " in " ".join(shown.split())


@contextmanager
def working(outbox: Outbox) -> Iterator[None]:
    """A worker that sends meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=outbox.work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)


@contextmanager
def running(*args: str, cwd: Path, env: dict[str, str]) -> Iterator[Any]:
    """A command of ours in a process of its own, which ends with the block, or when patience does."""
    line = [sys.executable, "-m", "miniapp", *args]
    with subprocess.Popen(line, cwd=cwd, env=env, stderr=subprocess.PIPE, text=True) as process:
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        try:
            yield process
        finally:
            process.terminate()
            patience.cancel()
