"""The embedded network passes the suite of all networks, in memory and on a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from miniapp.sandbox.network import Network
from miniapp.sandbox.store import Store
from support.network_suite import NetworkSuite


@pytest.mark.parametrize("where", ["memory", "file"])
class TestEmbedded(NetworkSuite):
    @pytest.fixture
    def network(self, where: str, tmp_path: Path) -> Iterator[Network]:
        store = Store(tmp_path / "sandbox.db" if where == "file" else None, domain="onechat.localhost")
        network = Network(store)
        network.start()
        yield network
        network.close()
        store.close()
