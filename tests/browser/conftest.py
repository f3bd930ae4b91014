"""The whole of it in Debian's Chromium: a sandbox, a mini app beside it, and the host page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from phones import context, open_host

__all__ = ["context", "open_host", "session"]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
