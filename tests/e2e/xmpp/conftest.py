"""What the tests of XMPP share."""

from support.xmpp.host import host, loop, reachable, start
from support.xmpp.ocwp_fixtures import chat_server, people, site, visit

__all__ = ["chat_server", "host", "loop", "people", "reachable", "site", "start", "visit"]
