"""The fixtures of the shim's tests in a browser."""

from support.shim_page import host_origin, lifetime, phone, server, variant

__all__ = ["host_origin", "lifetime", "phone", "server", "variant"]
