"""Bulk sends that lose nothing: a ledger in SQL, and workers that send its items. See docs/outbox.md."""

from ..errors import KeyTakenError, NoBulkError
from .accept import Bulk
from .bulks import Item, Progress
from .schema import include_object
from .service import Outbox
from .signals import bulk_done, item_failed

__all__ = [
    "Bulk",
    "Item",
    "KeyTakenError",
    "NoBulkError",
    "Outbox",
    "Progress",
    "bulk_done",
    "include_object",
    "item_failed",
]
