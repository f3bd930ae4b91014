"""The fixtures of the sandbox's tests."""

from support.sandbox import app, call, clock, host, lunch, make, server, session

__all__ = ["app", "call", "clock", "host", "lunch", "make", "server", "session"]
