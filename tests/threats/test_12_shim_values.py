"""Row 12: script injection in generated JavaScript. Every value goes through tojson, and comes out as it went in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniapp import shim
from miniapp.settings import Settings
from support import profiles  # noqa: F401 - registers the Hypothesis profiles
from support.node import Node

pytestmark = pytest.mark.slow

# all of Unicode, lone surrogates too, and what would end a script, a string or a template early
NASTY = [
    "</script>",
    "<!--",
    "]]>",
    '"',
    "'",
    "\\",
    "\n",
    "\r",
    "\u2028",
    "\u2029",
    "{{7*7}}",
    "{%raw%}",
    "//",
    "${x}",
    "`",
]
PART = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=8))
TEXT = st.lists(PART, max_size=6).map("".join)


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


@given(app_id=TEXT, origins=st.lists(TEXT, max_size=3))
def test_any_text_comes_out_as_it_went_in(app_id, origins, node):
    """Whatever the settings hold, the script parses, runs and has exactly these values."""
    made = shim.render(Settings(app_id=app_id, container_origins=tuple(origins)))
    assert node(source=made.source) == {"appId": app_id, "origins": origins}
    assert "</" not in made.source
    assert "<!" not in made.source


@given(jid=TEXT, nonce=TEXT)
def test_any_attribute_stays_an_attribute(jid, nonce):
    """Whatever a JID or a nonce holds, the tag has no further attribute and no further element."""
    made = shim.render(Settings(app_id="app-12345678"))
    tag = shim.script_tag(made, nonce or None, {"data-jid": jid})
    assert re.fullmatch(r'<script( [a-z-]+="[^"<>]*")+( data-jid)?></script>', tag)
