"""Threat 39: a key that can be guessed, among those that sign logins."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import pytest
from flask import Flask

from miniapp.errors import ConfigurationError
from miniapp.login.cookies import LoginCookie
from miniapp.login.secret_keys import read_secret_key
from miniapp.login.signed import Logins
from miniapp.login.user import User
from miniapp.project.doctor import examine
from miniapp.settings import Settings
from support.apps import create_app
from support.paths import ROOT

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
    "few letters in no order": "abacabadabacabae",
    "placeholder": "please-change-me-to-something-random",
    "another placeholder": "<your secret key here>",
    "words of a tutorial": "My_Super_Secret_Key_123",
    "digits in order": "0123456789abcdef",
    "doubled word": "passwordpassword",
    "repeated text": "hunter2-hunter2-hunter2",
    "8 letters in 16 bytes": "ключключ",
    "10 letters in 19 bytes": "пароль-мой",
    "8 letters, encoded": "ключключ".encode(),
    "blanks between": "c a n a r y c a n a r y",
    "no UTF-8": "\udc80 canary that is otherwise 7 times as good",
    "example of Flask": b'_5#y2L"F4Q8z\n\xec]/',
    "byte array": bytearray(b"canary of 32 letters, more or less"),
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
    "iterator": iter([GOOD]),
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
    assert app.config["SECRET_KEY_FALLBACKS"] == tuple(fallbacks or ())


@pytest.mark.parametrize("make", [lambda: os.urandom(16), lambda: secrets.token_hex(16), secrets.token_urlsafe])
def test_random_keys_are_never_taken_for_weak_ones(make, onechat):
    """Whatever a random key of 128 bits consists of, blanks and line ends too, it is one."""
    found = [read_secret_key({"SECRET_KEY": key}, None)[1] for key in (make() for _ in range(5000))]
    assert sum(problem is not None for problem in found) <= 3  # bytes that are all ASCII by chance: 1 in 65,536


def letters(app: Flask) -> None:
    app.config["SECRET_KEY_FALLBACKS"] = GOOD


def generator(app: Flask) -> None:
    app.config["SECRET_KEY_FALLBACKS"] = (key for key in [GOOD])


def another_fallback(app: Flask) -> None:
    app.config["SECRET_KEY_FALLBACKS"] = [GOOD]


def weak_key(app: Flask) -> None:
    app.secret_key = "dev"


def another_key(app: Flask) -> None:
    app.secret_key = GOOD


@pytest.mark.parametrize("change", [letters, generator, another_fallback, weak_key, another_key])
def test_keys_that_change_after_init_app_are_refused(change, onechat):
    """Flask signs its session with what the config has then, and nothing has checked that."""
    app = create_app(onechat.config)
    change(app)
    with pytest.raises(ConfigurationError, match="changed after MiniApp") as caught:
        app.test_client().get("/public")
    assert GOOD not in str(caught.value)


def test_the_list_that_was_checked_is_the_list_that_is_used(onechat):
    """Who keeps the list of fallbacks can't add to it any more; setting the same keys again is no change."""
    fallbacks = [GOOD]
    app = app_with(onechat.config, fallbacks)
    fallbacks.append("dev")
    assert app.config["SECRET_KEY_FALLBACKS"] == (GOOD,)
    app.config["SECRET_KEY_FALLBACKS"] = [GOOD]
    assert app.test_client().get("/public").status_code == 200


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
    docs = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    (line,) = (line.strip() for line in docs.splitlines() if 'app.config["SECRET_KEY_FALLBACKS"] =' in line)
    for value, count in ((None, 0), ("", 0), (GOOD, 1)):
        monkeypatch.delenv("OLD_SECRET_KEY", raising=False)
        if value is not None:
            monkeypatch.setenv("OLD_SECRET_KEY", value)
        app = Flask(__name__)
        exec(f"import os\n{line}", {"app": app})
        assert len(app.config["SECRET_KEY_FALLBACKS"]) == count
        create_app({**onechat.config, "SECRET_KEY_FALLBACKS": app.config["SECRET_KEY_FALLBACKS"]})


@pytest.mark.parametrize("line", ["app.secret_key = '{key}'", "app.config['SECRET_KEY_FALLBACKS'] = ['{key}']"])
def test_doctor_finds_a_key_in_the_apps_own_source(line, tmp_path: Path, monkeypatch, onechat):
    """The keys that the app's code sets count, not only those of the environment."""
    for key, value in onechat.config.items():
        monkeypatch.setenv(key, str(value))
    source = f"from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\n{line}\nMiniApp(app)\n"
    (tmp_path / "literal.py").write_text(source.format(key=GOOD))
    (leak,) = (finding for finding in examine(tmp_path, "literal") if finding.code == "leak")
    assert (leak.level, "SECRET_KEY" in leak.what, GOOD in str(leak)) == ("error", True, False)


def test_doctor_sees_keys_that_change_later(tmp_path: Path, monkeypatch, onechat):
    """What `init_app` could not see is told too, and not that all settings are right."""
    for key, value in onechat.config.items():
        monkeypatch.setenv(key, str(value))
    (tmp_path / "later.py").write_text(
        "from flask import Flask\nfrom miniapp import MiniApp\napp = Flask(__name__)\nMiniApp(app)\n"
        "app.config['SECRET_KEY_FALLBACKS'] = ['dev']\n"
    )
    found = {finding.code: finding for finding in examine(tmp_path, "later")}
    assert "SECRET_KEY_FALLBACKS was changed" in found["guard"].what
    assert "settings" not in found
