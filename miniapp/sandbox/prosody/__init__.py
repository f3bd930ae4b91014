"""Prosody as the sandbox's own XMPP server: a child process with a configuration and a directory of its own.

server      start, wait until it answers, restart, stop
├── config  what it is started with
├── temporary  where, unless it is told
└── modules/  accounts, people and the tie to this process, as modules of Prosody's
"""

from .server import Ports, Prosody, missing

__all__ = ["Ports", "Prosody", "missing"]
