"""The long form of `e2e/xmpp/test_ocwp_chaos.py`. `scripts/soak chat` runs it."""

from __future__ import annotations

import random
import sys

import click
from playwright.sync_api import sync_playwright

from soak import records
from support.chromium import CHROMIUM, CHROMIUM_ARGUMENTS
from support.xmpp.chaos import run

PAUSE = 1.0
"""Seconds between bursts of one to four messages: a chat then holds some thousand at the end, not tens of thousands."""


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option(
    "--seed",
    type=int,
    default=lambda: random.randrange(10**6),
    show_default="random",
    help="Draws the same blows again.",
)
def main(minutes: float, seed: int) -> None:
    """Let three people write with the chat plugin during cuts, freezes, server kills and reloads."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        result = run(browser, seed, minutes * 60, PAUSE, click.echo)
        browser.close()
    records.write("chat", **result.record())
    sys.exit("A promise was broken: see above." if result.problems else 0)


if __name__ == "__main__":
    main()
