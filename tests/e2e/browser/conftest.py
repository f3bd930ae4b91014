"""The whole of it in Debian's Chromium: a sandbox, a mini app beside it, and the host page."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
import requests

from support.paths import ROOT
from support.phones import context, open_host

__all__ = ["context", "open_host", "session"]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def documented() -> ModuleType:
    """`examples/documented/wsgi.py`, under a name of its own."""
    path = ROOT / "examples" / "documented" / "wsgi.py"
    spec = importlib.util.spec_from_file_location("documented_examples", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Flask looks up where a module's templates are by its name
    spec.loader.exec_module(module)
    return module
