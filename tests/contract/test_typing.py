"""Public names have the types that the authors of mini apps see: mypy checks the programs in `typing/`."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import miniapp
from miniapp import outbox
from miniapp.testing import plugin
from support.paths import ROOT

pytestmark = pytest.mark.slow

PROGRAMS = ROOT / "tests/contract/typing"


def test_public_names_have_the_types_that_authors_rely_on() -> None:
    """`mypy --strict` accepts each `assert_type` and needs each `type: ignore`."""
    # With no settings of this repository, and from a folder in which `miniapp` is an installed package.
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache/typing'}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "."], cwd=PROGRAMS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_public_name_is_used_in_a_program() -> None:
    """A new public name needs a line in `typing/`."""
    text = "".join(path.read_text() for path in PROGRAMS.glob("*.py"))
    assert [name for name in {*miniapp.__all__, *outbox.__all__} if name not in text] == []


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        (plugin._onechat, "Iterator[LocalOneChat]"),
        (plugin.onechat_server, "Iterator[LocalOneChat | RealOneChat]"),
        (plugin.alice, "Person"),
        (plugin.bob, "Person"),
        (plugin.login, "Callable[[Flask, Person | str], FlaskClient]"),
    ],
)
def test_fixtures_have_the_types_that_tests_annotate(fixture: object, expected: str) -> None:
    """`typing/fixtures.py` annotates the fixtures as the plugin does: pytest's own type of a fixture hides it."""
    assert inspect.signature(fixture).return_annotation == expected  # type: ignore[arg-type]
