"""The sandbox's fixtures, for the threats to the sandbox."""

from support.sandbox import app, call, clock, host, lunch, make, server, session

__all__ = ["app", "call", "clock", "host", "lunch", "make", "server", "session"]
