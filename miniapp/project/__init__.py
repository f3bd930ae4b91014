"""A developer's project: make it, register it, check it."""
