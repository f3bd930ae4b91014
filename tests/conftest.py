"""What all our tests share. The OneChat fixtures come from the plugin `miniapp.testing`, as they do for users."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the `ONECHAT_*` settings or the secret of whoever runs it."""
    for key in [key for key in os.environ if key.startswith("ONECHAT_") and not key.startswith("ONECHAT_VERIFY_")]:
        monkeypatch.delenv(key)
    for key in ("SECRET_KEY", "ADMIN_JIDS", "APP_NAME"):
        monkeypatch.delenv(key, raising=False)
