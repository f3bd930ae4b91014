"""Small helps for the tests of the outbox."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from miniapp.outbox import Outbox, Progress

Make = Callable[..., Outbox]


def people(count: int) -> list[str]:
    return [f"{6580000000 + n}@onechat.net" for n in range(count)]


def drain(outbox: Outbox, bulk: int) -> Progress:
    """Sends until nothing is left to send now."""
    outbox.work(Event(), drain=True)
    return outbox.progress(bulk)
