"""The host page as a test sees it: its phones, and the mini apps on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page

from miniapp.testing.onechat import LocalOneChat

SECONDS = 1000  # Playwright counts in milliseconds


@dataclass
class Phone:
    """One phone of the host page, and the mini app in it."""

    root: Locator

    @property
    def app(self) -> FrameLocator:
        return self.root.frame_locator("iframe")

    def get(self, testid: str) -> Locator:
        return self.root.get_by_test_id(testid)


@dataclass
class Host:
    """The host page, open in a browser."""

    page: Page
    onechat: LocalOneChat
    app_name: str

    def phone(self, number: int) -> Phone:
        return Phone(self.page.get_by_test_id(f"phone-{number}"))

    def open_app(self, number: int) -> Phone:
        phone = self.phone(number)
        phone.get("tab-apps").click()
        phone.get("app").filter(has_text=self.app_name).click()
        return phone

    def open_thread(self, number: int, thread: str) -> Phone:
        phone = self.phone(number)
        for button in ("app-back", "back"):  # an open app or thread takes the whole screen
            if phone.get(button).count():
                phone.get(button).click()
        phone.get("tab-chats").click()
        phone.root.locator(f'[data-testid="thread"][data-thread="{thread}"]').click()
        return phone


def add_app(onechat: LocalOneChat, port: int, name: str) -> dict[str, Any]:
    """Registers what listens on `port` with the sandbox: the settings for it."""
    url = f"http://onechat.localhost:{port}/"
    app_id, api_key = onechat.register(name, url)
    return {**onechat.settings(app_id, api_key), "ONECHAT_PUBLIC_URL": ""}
