"""Signals (blinker's, as Flask's own), sent in the process that sends the messages.

A worker that is killed in that moment sends none. Code that must run should read the ledger instead.
"""

from blinker import Namespace

_namespace = Namespace()

bulk_done = _namespace.signal("bulk-done", doc="A bulk has nothing left to send; `bulk` is its `Progress`.")
item_failed = _namespace.signal(
    "item-failed", doc="An item ended `refused` or `unknown`: `bulk` (ID), `jid`, `state`, `answer`."
)
