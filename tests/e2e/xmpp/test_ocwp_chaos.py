"""Three people write amid cuts, freezes, server kills and reloads: every message once, in one order."""

from __future__ import annotations

import os
import random

from playwright.sync_api import Browser

from support.xmpp.chaos import run

SEED = "CHAOS_SEED"
"""In the environment: draws the same blows again."""
SECONDS = 45
"""Of chaos: a freeze takes 20 to be noticed. The long form is `scripts/soak chat`."""


def test_every_message_arrives_once_and_in_one_order(browser: Browser) -> None:
    """In every client and archive, counted by IDs; and no client logs in faster than its back-off allows."""
    result = run(browser, int(os.environ.get(SEED) or random.randrange(10**6)), SECONDS)
    assert result.problems == []
    assert sum(result.messages.values()) > 50
    assert sum(result.blows.values()) > 5
