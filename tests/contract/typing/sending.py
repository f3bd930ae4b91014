"""Use the public names for sending as an app's author does: client, recipients, bulk sends. mypy checks this file."""

from collections.abc import Iterator
from typing import Any, Literal, assert_type

from blinker import NamedSignal

from miniapp import OneChat, Registration, Settings
from miniapp.jid import Recipient
from miniapp.outbox import Bulk, Item, Outbox, Progress, bulk_done, include_object, item_failed
from miniapp.outbox.delays import Delay
from miniapp.settings import Secret

ALICE = "6581234567@onechat.net"
GROUP = "abcdef-123456@muc.onechat.net"

settings = Settings(app_id="the app ID", api_key=Secret("the API key"))
assert_type(settings.domain, str)
assert_type(settings.body, Literal["json", "form"])
assert_type(settings.deadline, float)
assert_type(settings.container_origins, tuple[str, ...])

recipient = Recipient.parse(GROUP)
assert_type(recipient, Recipient)
assert_type(recipient.kind, Literal["user", "group", "domain"])
assert_type(recipient.jid, str)
Recipient("server", "onechat.net")  # type: ignore[arg-type]

with OneChat(settings) as client:
    assert_type(client, OneChat)
    assert_type(client.send(recipient, "Lunch?"), None)
    assert_type(client.send_message(ALICE, "Lunch?"), None)
    assert_type(client.send_group_message(GROUP, "Lunch?"), None)
    assert_type(client.mass_broadcast("Lunch?", "onechat.net"), None)
    assert_type(client.authenticate_user(ALICE, "the session ID", seconds=3), bool)
    registration = client.register_mini_app(
        admin_jid=ALICE, session_id="the session ID", app_name="Lunch", app_icon="https://a.b/i", app_url="https://a.b"
    )
    assert_type(registration, Registration)
    assert_type(registration.app_id, str)
    assert_type(registration.api_key, Secret)
    client.send(ALICE, "Lunch?")  # type: ignore[arg-type]
    assert_type(client.close(), None)

outbox = Outbox(settings)
bulk = outbox.send([ALICE, GROUP], "Lunch?", key="lunch-1", policy="resend", owner=ALICE)
assert_type(bulk, Bulk)
assert_type(bulk.id, int)
assert_type(bulk.key, str | None)
assert_type(bulk.total, int)
assert_type(bulk.new, bool)
outbox.send([ALICE], "Lunch?", policy="twice")  # type: ignore[arg-type]

progress = outbox.progress(bulk.id)
assert_type(progress, Progress)
assert_type(progress.state, str)
assert_type(progress.sent, int)
assert_type(progress.waiting, int)
assert_type(progress.done_at, float | None)
assert_type(progress.delay, Delay | None)
assert_type(progress.as_dict(), dict[str, Any])

assert_type(outbox.list(5), list[Progress])
assert_type(outbox.left(), list[Progress])
assert_type(outbox.watch(bulk.id, timeout=5), Iterator[Progress])
assert_type(outbox.items(bulk.id, "refused"), Iterator[Item])
assert_type([(item.jid, item.state, item.attempts) for item in outbox.items(1)], list[tuple[str, str, int]])
assert_type(outbox.closed(), Delay | None)
assert_type(outbox.open(), Delay | None)
assert_type(outbox.pause(bulk.id), None)
assert_type(outbox.resume(bulk.id), None)
assert_type(outbox.cancel(bulk.id), None)
assert_type(outbox.retry(bulk.id, "unknown", broadcasts=True), int)
assert_type(outbox.forget(days=30), int)

assert_type(bulk_done, NamedSignal)
assert_type(item_failed, NamedSignal)
assert_type(include_object(None, "bulk", "table", False, None), bool)
