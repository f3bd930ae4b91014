"""What all our tests share. The OneChat fixtures come from the plugin `miniapp.testing`, as they do for users."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from miniapp.testing.onechat import LocalOneChat
from support.chromium import CHROMIUM, CHROMIUM_ARGUMENTS
from support.paths import TESTS
from support.waiting import until

expect.set_options(timeout=20_000)  # ms; a busy machine takes many times what a page needs


SYSTEM_FIXTURES = {"browser", "chat_server", "postgres_url", "start"}
"""Fixtures that start a program of Debian's."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs programs of Debian's, which `scripts/test --fast` leaves out."""
    for item in items:
        if TESTS / "e2e" in item.path.parents or SYSTEM_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("system")


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the `ONECHAT_*` settings or the secret of the person who runs it."""
    for key in [key for key in os.environ if key.startswith("ONECHAT_") and not key.startswith("ONECHAT_VERIFY_")]:
        monkeypatch.delenv(key)
    for key in ("SECRET_KEY", "ADMIN_JIDS", "APP_NAME"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def eventually() -> Callable[..., object]:
    """Return `until`: `eventually(condition)` waits until `condition()` is true."""
    return until


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browser_without_site_data(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A Chromium of its own that blocks cookies and storage for all sites."""
    preferences = tmp_path / "chromium" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    preferences.write_text(json.dumps(blocked))
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "chromium",
        executable_path=CHROMIUM,
        args=CHROMIUM_ARGUMENTS,
        viewport={"width": 1440, "height": 900},
    )
    yield context
    context.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`run("send", …, stdin=, env=)`: one command of ours, in an empty directory; its input is no terminal."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args: str, stdin: str = "", env: dict[str, str] | None = None) -> Result:
        from miniapp.cli import cli

        return CliRunner().invoke(cli, args, input=stdin, env=env, prog_name="miniapp")

    return invoke


@pytest.fixture
def env(onechat_server: LocalOneChat) -> dict[str, str]:
    """The settings of an app that the sandbox on a port knows, as an environment."""
    return {key: str(value) for key, value in onechat_server.config.items()}
