"""What all our tests share. The OneChat fixtures come from the plugin `miniapp.testing`, as they do for users."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # tests run as root in containers, where Chromium's sandbox can't start
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the `ONECHAT_*` settings or the secret of whoever runs it."""
    for key in [key for key in os.environ if key.startswith("ONECHAT_") and not key.startswith("ONECHAT_VERIFY_")]:
        monkeypatch.delenv(key)
    for key in ("SECRET_KEY", "ADMIN_JIDS", "APP_NAME"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
