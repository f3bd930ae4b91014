"""Which network a sandbox gets."""

from __future__ import annotations

from .config import SandboxConfig
from .network import Network
from .network.xmpp.server import ServerSettings
from .store import Store


def choose_network(config: SandboxConfig, store: Store) -> tuple[Network, str]:
    """Return the network that `config` asks for, not started yet, and what to call it.

    What XMPP needs is loaded only where it is used.
    """
    if config.xmpp == "off":
        return Network(store), "embedded"
    if config.xmpp == "auto" and (reason := _missing()):
        return Network(store), f"embedded. {reason}"
    from .network.xmpp.credentials import Credentials
    from .network.xmpp.relay import XMPPRelay

    credentials = Credentials(store)
    if isinstance(config.xmpp, ServerSettings):
        from .network.xmpp.external import ExternalServer

        server = config.xmpp
        where = f"XMPP, {server.domain} at {server.component_host} port {server.component_port}"
        return Network(store, XMPPRelay(store, ExternalServer(server, credentials), credentials)), where
    from .prosody import Prosody

    prosody = Prosody(credentials, directory=config.xmpp_directory)
    return Network(store, XMPPRelay(store, prosody, credentials)), "XMPP, by Prosody"


def _missing() -> str | None:
    try:
        import slixmpp as _  # noqa: F401
    except ModuleNotFoundError:
        return "slixmpp is not installed (pip install 'onechat-miniapp[sandbox]')."
    from .prosody import missing

    return missing()
