"""Row 7: the API key never reaches a page. The shim's part: it is made from an allow-list."""

from __future__ import annotations

import inspect

from miniapp import shim
from miniapp.settings import Secret, Settings

CANARY = Secret("canary-9f8e7d6c5b4a")


def test_the_api_key_is_in_neither_script_nor_typings_nor_tag():
    """Nothing that the shim serves or writes has the API key in it."""
    made = shim.render(Settings(app_id="app-12345678", api_key=CANARY))
    for text in (made.source, made.typings, made.integrity, made.url, shim.script_tag(made, "n", {"data-left": "1"})):
        assert str(CANARY) not in text


def test_the_key_changes_nothing():
    """The script of an app with another key is the same to the byte: the key has no way in."""
    one, other = (shim.render(Settings(app_id="app-12345678", api_key=Secret(key))) for key in ("a" * 8, "b" * 8))
    assert one is other


def test_the_template_is_given_named_settings_alone():
    """What renders the script takes no settings object, only the four that may be public."""
    names = list(inspect.signature(shim._render).parameters)
    assert names == ["url_prefix", "app_id", "container_origins", "login_lifetime"]
