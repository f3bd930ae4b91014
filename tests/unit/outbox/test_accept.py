"""Accepting a bulk: durable, once per key, each recipient once."""

from __future__ import annotations

import random
import resource
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from miniapp.errors import ConfigurationError, JIDError, MessageError, MiniAppError
from miniapp.outbox import KeyTakenError, Outbox
from miniapp.outbox.tables import HEAD
from miniapp.settings import Secret, Settings
from support.ledgers import Make, people


def test_a_bulk_is_in_the_ledger_when_send_returns(outbox: Outbox, make: Make) -> None:
    """Another process sees it at once, with everything queued."""
    bulk = outbox.send(people(3), "Hi")
    assert bulk.new
    progress = make().progress(bulk.id)
    assert (progress.state, progress.total, progress.queued) == ("running", 3, 3)


def test_commits_wait_for_the_disk(outbox: Outbox) -> None:
    """SQLite is told to be durable: synchronous=FULL, and its log written ahead."""
    with outbox.database.read.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_the_ledger_is_its_owners_alone(outbox: Outbox, tmp_path: Path) -> None:
    """All files of the database have the mode 0600: texts and JIDs are in them."""
    outbox.send(people(1), "Hi")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("outbox.db*")}
    assert set(modes.values()) == {0o600}, modes


def test_the_same_key_is_the_same_bulk(outbox: Outbox) -> None:
    """Sent again under its key, in any order, a bulk is found and not doubled."""
    first = outbox.send(people(20), "Hi", key="lunch-1")
    shuffled = random.sample(people(20), 20)
    again = outbox.send(shuffled, "Hi", key="lunch-1")
    assert (again.id, again.total, again.new) == (first.id, 20, False)
    assert len(outbox.list()) == 1


@pytest.mark.parametrize("other", ["text", "recipients", "policy"])
def test_the_same_key_for_something_else_is_an_error(outbox: Outbox, other: str) -> None:
    """It names the bulk that has the key and says what to do; nothing changes."""
    outbox.send(people(2), "Hi", key="k")
    recipients = people(3 if other == "recipients" else 2)
    with pytest.raises(KeyTakenError, match=r"bulk 1.*another key"):
        outbox.send(
            recipients, "Ho" if other == "text" else "Hi", key="k", policy="resend" if other == "policy" else "hold"
        )
    assert len(outbox.list()) == 1


def test_recipients_are_canonical_and_once_each(outbox: Outbox) -> None:
    """Two spellings of a JID are one recipient; users, groups and domains can be mixed."""
    spellings = ["Alice@OneChat.net", "alice@onechat.net", "alice@onechat.net."]
    bulk = outbox.send([*spellings, "abc-1@muc.onechat.net", "ONECHAT.net"], "Hi")
    assert bulk.total == 3
    assert [item.jid for item in outbox.items(bulk.id)] == [
        "alice@onechat.net",
        "abc-1@muc.onechat.net",
        "onechat.net",
    ]


def test_a_text_alone_is_one_recipient(outbox: Outbox) -> None:
    """A JID where an iterable of them is meant is not taken apart into letters."""
    assert outbox.send("alice@onechat.net", "Hi").total == 1


def test_a_bulk_without_recipients_is_done(outbox: Outbox) -> None:
    """No recipients: nothing to do, and no error."""
    bulk = outbox.send([], "Hi", key="none")
    assert outbox.progress(bulk.id).state == "done"


@pytest.mark.parametrize("bad", ["", "@onechat.net", "alice@onechat.net/phone", "a b@c", None])
def test_one_bad_recipient_refuses_them_all(outbox: Outbox, bad: str) -> None:
    """The error tells which one; nothing is accepted."""
    with pytest.raises(JIDError, match="Recipient 3"):
        outbox.send([*people(2), bad], "Hi")
    assert outbox.list() == []


@pytest.mark.parametrize("text", ["", " ", "\x00", "x" * 4097])
def test_a_text_that_can_not_be_sent_is_refused(outbox: Outbox, text: str) -> None:
    """It is found before anything is accepted."""
    with pytest.raises(MessageError):
        outbox.send(people(1), text)
    assert outbox.list() == []


@pytest.mark.parametrize("arguments", [{"policy": "maybe"}, {"key": ""}, {"key": "x" * 256}, {"key": "a\nb"}])
def test_other_bad_arguments_are_refused(outbox: Outbox, arguments: dict[str, str]) -> None:
    """A policy or key of the wrong form is an error that says so."""
    with pytest.raises(MiniAppError) as caught:
        outbox.send(people(1), "Hi", **arguments)  # type: ignore[arg-type]
    assert caught.value.code == "argument"


def test_a_slow_iterable_does_not_lock_the_ledger(outbox: Outbox, make: Make) -> None:
    """While recipients are still coming, others can write to the ledger."""
    other = make()

    def slowly() -> object:
        yield "alice@onechat.net"
        assert other.send(people(1), "Meanwhile").new
        yield "bob@onechat.net"

    assert outbox.send(slowly(), "Hi").total == 2  # type: ignore[arg-type]


def test_what_fails_while_recipients_come_leaves_nothing(outbox: Outbox) -> None:
    """The iterable's own error comes out, and no half of a bulk stays."""

    def broken() -> object:
        yield "alice@onechat.net"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outbox.send(broken(), "Hi")  # type: ignore[arg-type]
    assert outbox.list() == []
    assert outbox.send(people(1), "Hi").new


def test_a_hundred_thousand_recipients(outbox: Outbox) -> None:
    """They are accepted in about two seconds, and memory grows by less than 32 MiB."""
    outbox.send(people(10), "Hi")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    assert outbox.send((f"{6580000000 + n}@onechat.net" for n in range(100_000)), "Hi").total == 100_000
    assert time.process_time() - start < 4  # of this process alone: other tests have the other cores; measured: 0.9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


@pytest.mark.parametrize(
    "bad", ["mysql://x:canary@y/z", "sqlite:///", "nonsense:canary", "sqlite:////nowhere/canary.db"]
)
def test_a_database_that_does_not_do_is_a_problem_of_the_settings(bad: str) -> None:
    """Whatever the URL is, the error names the setting and never the URL, which may have a password."""
    with pytest.raises(ConfigurationError, match="ONECHAT_OUTBOX_URL") as caught:
        _ = Outbox(Settings(outbox_url=Secret(bad))).database
    assert "canary" not in str(caught.value)


def test_migrations_and_tables_agree(outbox: Outbox) -> None:
    """What the migrations made is what `tables.py` describes: Alembic finds no difference."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from miniapp.outbox.tables import metadata

    with outbox.database.read.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "outbox_version"})
        assert compare_metadata(context, metadata) == []


def test_a_ledger_is_made_once(url: str, make: Make) -> None:
    """Opened again it is as it was."""
    number = make().send(people(1), "Hi").id
    assert make().progress(number).total == 1
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("SELECT version_num FROM outbox_version").fetchall() == [(HEAD,)]
    connection.close()
