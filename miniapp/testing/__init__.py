"""Tests of mini apps: the pytest plugin, a OneChat for tests, and the client of a sandbox's controls."""
