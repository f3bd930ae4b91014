"""The XMPP network passes the suite of all networks, with a Prosody of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from miniapp.sandbox.network import Network
from miniapp.sandbox.network.xmpp.credentials import Credentials
from miniapp.sandbox.network.xmpp.relay import XMPPRelay
from miniapp.sandbox.prosody import Prosody
from miniapp.sandbox.store import Store
from support.network_suite import NetworkSuite


class TestXMPP(NetworkSuite):
    @pytest.fixture
    def network(self, tmp_path: Path) -> Iterator[Network]:
        store = Store(domain="onechat.localhost")
        credentials = Credentials(store)
        prosody = Prosody(credentials, directory=tmp_path / "xmpp")
        network = Network(store, XMPPRelay(store, prosody, credentials))
        network.start()
        yield network
        network.close()
        store.close()
