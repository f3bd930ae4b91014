"""`miniapp outbox …` and `miniapp worker`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from miniapp.outbox import Outbox
from support.commands import PATIENCE, Run, at_terminal
from support.countinghost import SUCCESS, Stub
from support.ledgers import drain, people


@pytest.fixture
def failing(outbox: Outbox, host: Stub) -> int:
    """A bulk of three, one of them refused, one unknown."""
    answers = {
        "6580000000@onechat.net": (400, b'{"status": "Error", "description": "no such user"}', ""),
        "6580000001@onechat.net": (500, b"", ""),
    }
    host.answer = lambda call, to: answers.get(to, (200, SUCCESS, ""))
    bulk = outbox.send(people(3), "Hi", key="lunch").id
    drain(outbox, bulk)
    return bulk


def test_list(run: Run, env: dict[str, str], outbox: Outbox, failing: int) -> None:
    """The latest come first, with what is to be known of each; as JSON too."""
    outbox.send(people(2), "Hi")
    lines = run("outbox", "list", env=env).output.splitlines()
    assert lines[0].split() == ["2", "running", "0/2", "sent,", "2", "waiting"]
    assert "1/3 sent, 1 refused, 1 unknown" in lines[1]
    assert "lunch" in lines[1]
    documents = json.loads(run("outbox", "list", "--limit", "1", "--json", env=env).output)
    assert [(document["id"], document["waiting"]) for document in documents] == [(2, 2)]


def test_an_empty_list_says_so(run: Run, env: dict[str, str], outbox: Outbox) -> None:
    """No bulks: a line, not nothing."""
    assert run("outbox", "list", env=env).output == "No bulks.\n"


def test_show(run: Run, env: dict[str, str], failing: int) -> None:
    """State, counts and, if asked for, recipients with the host's words."""
    text = run("outbox", "show", "1", "--items", "refused", env=env).output
    assert "1/3 sent, 1 refused, 1 unknown" in text
    assert "6580000000@onechat.net  no such user" in text
    document = json.loads(run("outbox", "show", "1", "--json", "--items", "unknown", env=env).output)
    assert (document["state"], document["unknown"]) == ("done", 1)
    assert [item["jid"] for item in document["items"]] == ["6580000001@onechat.net"]


def test_show_waits(run: Run, env: dict[str, str], make: object, host: Stub) -> None:
    """With --wait it returns once the bulk is at its end."""
    outbox = make(outbox_worker="thread")  # type: ignore[operator]
    outbox.send(people(30), "Hi")
    document = json.loads(run("outbox", "show", "1", "--wait", "--json", env=env).output)
    assert (document["state"], document["sent"]) == ("done", 30)


def test_show_waits_with_a_bar(env: dict[str, str], outbox: Outbox, host: Stub, tmp_path: Path, make: object) -> None:
    """At a terminal there is a bar that ends with the figures."""
    outbox = make(outbox_worker="thread")  # type: ignore[operator]
    outbox.send(people(30), "Hi")
    code, shown = at_terminal([], "outbox", "show", "1", "--wait", cwd=tmp_path, env=env)
    assert code == 0
    assert "30/30" in shown


def test_retry(run: Run, env: dict[str, str], outbox: Outbox, failing: int) -> None:
    """It has to be said which ones, and says how many."""
    assert run("outbox", "retry", "1", env=env).exit_code == 2
    assert "1 message(s)" in run("outbox", "retry", "1", "--refused", env=env).output
    assert outbox.progress(1).queued == 1


def test_pause_resume_cancel(run: Run, env: dict[str, str], outbox: Outbox) -> None:
    """Each does what it says, and an error is one with a next step."""
    outbox.send(people(2), "Hi")
    for command, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert run("outbox", command, "1", env=env).exit_code == 0
        assert outbox.progress(1).state == state
    assert "miniapp-outbox" not in {thread.name for thread in threading.enumerate()}  # commands don't send
    result = run("outbox", "resume", "1", env=env)
    assert result.exit_code == 1
    assert "cancelled already" in result.output
    assert "no bulk 9" in run("outbox", "show", "9", env=env).output


def test_without_a_ledger_there_is_nothing_to_look_after(run: Run) -> None:
    """A missing ONECHAT_OUTBOX_URL is a problem of the settings."""
    result = run("outbox", "list")
    assert result.exit_code == 3
    assert "ONECHAT_OUTBOX_URL" in result.output


def test_a_database_that_is_away(run: Run, env: dict[str, str]) -> None:
    """Commands say that it doesn't answer, without its password."""
    result = run("outbox", "list", env={**env, "ONECHAT_OUTBOX_URL": "postgresql://me:canary@127.0.0.1:1/none"})
    assert result.exit_code == 1
    assert "can't be used" in result.output
    assert "canary" not in result.output


def test_worker_drains(run: Run, env: dict[str, str], outbox: Outbox, host: Stub) -> None:
    """With --drain it sends what there is, and ends."""
    outbox.send(people(20), "Hi")
    assert run("worker", "--drain", env=env).exit_code == 0
    assert host.count == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_ends_when_told(
    env: dict[str, str], outbox: Outbox, host: Stub, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C end it with 0, after what is on its way: nothing is leased or in doubt then."""
    host.slowness = 0.1
    outbox.send(people(400), "Hi")
    process = subprocess.Popen(
        [sys.executable, "-m", "miniapp", "worker"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    )
    assert host.wait(10, PATIENCE)
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert said.startswith("Sending.")
    progress = outbox.progress(1)
    assert (progress.leased, progress.sending, progress.unknown) == (0, 0, 0)
    assert progress.sent == host.count < 400


def test_no_secret_in_the_processes_arguments(env: dict[str, str]) -> None:
    """Neither key nor database URL is an option of any command: other users could read them."""
    from support.commands import loaded

    names = {name for command in (loaded()["worker"], loaded()["outbox"]) for name in command.params}
    assert not {"--url", "--key", "--api-key"} & {option for name in names for option in name.opts}
