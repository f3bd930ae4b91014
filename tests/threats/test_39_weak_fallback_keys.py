"""Threat 39: a key that can be guessed, among those that sign logins."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from apps import create_app
from flask import Flask

from miniapp.auth import Logins, User
from miniapp.cookies import LoginCookie
from miniapp.doctor import examine
from miniapp.errors import ConfigurationError
from miniapp.settings import Settings

GOOD = "an-old-key-that-was-random-0123456789"

ENTRIES = {
    "unset": None,
    "empty": "",
    "empty bytes": b"",
    "blanks": " " * 32,
    "short": "dev",
    "short bytes": b"canary",
    "padded": "canary" + " " * 32,
    "one letter": "a" * 32,
    "few letters": "abc" * 12,
    "placeholder": "please-change-me-to-something-random",
    "number": 12345678901234567890,
    "nested": [GOOD],
    "boolean": True,
}
SHAPES = {
    "text": GOOD,
    "bytes": GOOD.encode(),
    "empty text": "",
    "JSON text": f'["{GOOD}"',
    "generator": (key for key in [GOOD]),
    "dict": {GOOD: GOOD},
    "number": 7,
    "true": True,
}


def app_with(config: dict[str, object], fallbacks: object) -> Flask:
    return create_app({**config, "SECRET_KEY_FALLBACKS": fallbacks})


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("place", [0, 1])
def test_an_app_with_a_weak_fallback_does_not_start(entry, place, onechat):
    """Each entry must be as good as SECRET_KEY; the error names it and does not repeat it."""
    fallbacks = [GOOD, GOOD]
    fallbacks[place] = entry
    with pytest.raises(ConfigurationError) as caught:
        app_with(onechat.config, fallbacks)
    assert [problem.key for problem in caught.value.problems] == [f"SECRET_KEY_FALLBACKS[{place}]"]
    assert "canary" not in str(caught.value)
    assert GOOD not in str(caught.value)


@pytest.mark.parametrize("fallbacks", SHAPES.values(), ids=SHAPES)
def test_only_a_list_of_keys_is_taken(fallbacks, onechat):
    """A text is a list of letters, a generator is empty when it is read again: both are refused."""
    with pytest.raises(ConfigurationError) as caught:
        app_with(onechat.config, fallbacks)
    assert [problem.key for problem in caught.value.problems] == ["SECRET_KEY_FALLBACKS"]
    assert GOOD not in str(caught.value)


@pytest.mark.parametrize("key", [key for key in ENTRIES.values() if key], ids=[k for k, key in ENTRIES.items() if key])
def test_the_secret_key_itself_is_no_weaker(key, onechat):
    """What is refused as a fallback is refused as SECRET_KEY."""
    with pytest.raises(ConfigurationError):
        create_app({**onechat.config, "SECRET_KEY": key})


@pytest.mark.parametrize("fallbacks", [None, [], (), [GOOD], (GOOD,), {GOOD}, [GOOD.encode()]], ids=repr)
def test_good_fallbacks_are_obeyed(fallbacks, onechat, alice):
    """A login that an old, good key signed is read; what is checked is what Flask's own session uses too."""
    app = app_with(onechat.config, fallbacks)
    settings: Settings = app.extensions["miniapp"].settings
    old = Logins([GOOD.encode()], settings.app_id, LoginCookie(settings))
    now = time.time()
    cookie = old.sign(User(alice.jid, now + 60, "digest", now), old.cookies)
    answer = app.test_client(use_cookies=False).get("/plain", headers={"Cookie": f"{old.cookie.name}={cookie}"})
    assert answer.status_code == (200 if fallbacks else 401)
    assert app.config["SECRET_KEY_FALLBACKS"] == list(fallbacks or ())


def test_doctor_names_a_weak_fallback(tmp_path: Path, monkeypatch, onechat):
    """`miniapp doctor` loads the app, so it sees what the app's own code sets."""
    for key, value in onechat.config.items():
        monkeypatch.setenv(key, str(value))
    (tmp_path / "weak.py").write_text(
        "from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\n"
        "app.config['SECRET_KEY_FALLBACKS'] = ['']\nMiniApp(app, env_file=None)\n"
    )
    found = {finding.code: finding.level for finding in examine(tmp_path, "weak")}
    assert found["setting:SECRET_KEY_FALLBACKS[0]"] == "error"
    assert "settings" not in found


def test_the_recipe_for_changing_keys_works_without_an_old_one(monkeypatch, onechat):
    """docs/deploy.md's line for the fallbacks makes none where OLD_SECRET_KEY is unset or empty."""
    docs = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text("utf-8")
    (line,) = (line.strip() for line in docs.splitlines() if 'app.config["SECRET_KEY_FALLBACKS"] =' in line)
    for value, count in ((None, 0), ("", 0), (GOOD, 1)):
        monkeypatch.delenv("OLD_SECRET_KEY", raising=False)
        if value is not None:
            monkeypatch.setenv("OLD_SECRET_KEY", value)
        app = Flask(__name__)
        exec(f"import os\n{line}", {"app": app})
        assert len(app.config["SECRET_KEY_FALLBACKS"]) == count
        create_app({**onechat.config, "SECRET_KEY_FALLBACKS": app.config["SECRET_KEY_FALLBACKS"]})
