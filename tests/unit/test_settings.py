"""The settings: where they are read, what they may be, and that all that is wrong is told at once."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniapp.errors import ConfigurationError
from miniapp.hosts import is_loopback
from miniapp.login.secret_keys import read_secret_key
from miniapp.settings import Secret, Settings, read_env_file
from support import profiles  # noqa: F401

APP = {"ONECHAT_APP_ID": "app-0001", "ONECHAT_API_KEY": "key-12345678"}


def problems(config: dict[str, Any], env_file: Path | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({**APP, **config}, env_file)
    assert all(problem.fix for problem in caught.value.problems)
    return [problem.key for problem in caught.value.problems]


def test_the_defaults_need_only_the_app() -> None:
    """App ID and API key given, everything else has a default that fits OneChat."""
    settings = Settings.read(APP)
    assert settings == Settings(app_id="app-0001", api_key=Secret("key-12345678"))
    assert settings.api_url == "https://app.onechat.net/onechat/api"
    assert not settings.trust_env


def test_config_comes_before_environment_and_that_before_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest source wins, and one that is empty counts as none."""
    env_file = tmp_path / ".env"
    env_file.write_text("ONECHAT_APP_ID=app-file\nONECHAT_API_KEY=key-of-file\nONECHAT_DOMAIN=file.net\nOTHER=1\n")
    monkeypatch.setenv("ONECHAT_DOMAIN", "environment.net")
    monkeypatch.setenv("ONECHAT_BODY", "form")
    monkeypatch.setenv("ONECHAT_APP_ID", "")
    settings = Settings.read({"ONECHAT_BODY": "json", "ONECHAT_API_KEY": None}, env_file)
    assert (settings.app_id, settings.api_key) == ("app-file", "key-of-file")
    assert settings.domain == "environment.net"
    assert settings.body == "json"


def test_all_problems_come_at_once() -> None:
    """One error names every setting that is wrong, those that are missing and those that are none."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({"ONECHAT_API_URL": "nowhere", "ONECHAT_BODY": "xml", "ONECHAT_DOMIAN": "a.net"})
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert set(found) == {
        "ONECHAT_API_URL", "ONECHAT_BODY", "ONECHAT_DOMIAN", "ONECHAT_APP_ID", "ONECHAT_API_KEY",
    }  # fmt: skip
    assert "Did you mean ONECHAT_DOMAIN?" in found["ONECHAT_DOMIAN"]


def test_the_app_can_be_absent_before_it_is_registered() -> None:
    """`miniapp register` reads the settings of an app that has no ID yet; a wrong one is wrong all the same."""
    assert Settings.read({}, demand_app=False).app_id == ""
    with pytest.raises(ConfigurationError):
        Settings.read({"ONECHAT_APP_ID": "no blanks"}, demand_app=False)


GOOD: list[tuple[str, Any, Any]] = [
    ("api_url", "https://host.example/onechat/api/", "https://host.example/onechat/api"),
    ("api_url", "http://127.0.0.1:8700/onechat/api", "http://127.0.0.1:8700/onechat/api"),
    ("api_url", "http://onechat.localhost:8700", "http://onechat.localhost:8700"),
    ("authenticate_path", "/registerMiniApp", "registerMiniApp"),
    ("body", "form", "form"),
    ("domain", "OneChat.NET", "onechat.net"),
    ("connect_timeout", "0.5", 0.5),
    ("read_timeout", 30, 30.0),
    ("deadline", 60, 60.0),
    ("login_lifetime", "600", 600),
    ("container_origins", "https://a.example, http://localhost:8700,", ("https://a.example", "http://localhost:8700")),
    ("container_origins", ["https://A.example", "https://a.example"], ("https://a.example",)),
    ("cookie", "partitioned", "partitioned"),
    ("cookie_name", "lunch_login", "lunch_login"),
    ("url_prefix", "mini/app/", "/mini/app"),
    ("url_prefix", "//mini", "/mini"),
    ("headers", "app", "app"),
    ("public_url", "https://lunch.example", "https://lunch.example"),
    ("trust_env", "on", True),
    ("trust_env", "0", False),
    ("trust_env", False, False),
]


@pytest.mark.parametrize(("name", "value", "expected"), GOOD, ids=str)
def test_values_are_read_into_their_types(name: str, value: object, expected: object) -> None:
    """Text of the environment and values of the config become one canonical value."""
    assert getattr(Settings.read({**APP, f"ONECHAT_{name.upper()}": value}), name) == expected


BAD: list[tuple[str, Any]] = [
    ("api_url", "http://app.onechat.net/onechat/api"),  # in the clear
    ("api_url", "https://user:canary@host.example"),
    ("api_url", "https://host.example/?canary"),
    ("api_url", "https://host.example/#canary"),
    ("api_url", "https://host.example/ canary"),
    ("api_url", "https://host.example:canary/"),
    ("api_url", "https://"),
    ("api_url", "file:///canary"),
    ("authenticate_path", "../canary"),
    ("authenticate_path", "canary?a"),
    ("body", "canary"),
    ("domain", "can ary"),
    ("domain", "canary@onechat.net"),
    ("app_id", "canary "),
    ("api_key", "canary\n"),
    ("api_key", 100000.0),  # what from_prefixed_env() makes of the key 1e5
    ("connect_timeout", "canary"),
    ("connect_timeout", 0),
    ("connect_timeout", True),
    ("read_timeout", "nan"),
    ("deadline", "inf"),
    ("deadline", -1),
    ("login_lifetime", 0),
    ("container_origins", "https://a.example/canary"),
    ("container_origins", "*"),
    ("container_origins", "http://a.example"),
    ("container_origins", 5),
    ("cookie", "canary"),
    ("cookie_name", "can ary"),
    ("url_prefix", "/"),
    ("headers", "canary"),
    ("public_url", "http://canary.example"),
    ("trust_env", "canary"),
    ("ca_file", "/canary.pem"),
    ("ca_file", "~canary/ca.pem"),
    ("ca_file", "canary\0"),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_a_wrong_value_is_named_but_never_repeated(name: str, value: object) -> None:
    """The error names the setting and its fix; the value, which may be a secret in the wrong place, is not in it."""
    key = f"ONECHAT_{name.upper()}"
    assert problems({key: value}) == [key]
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({**APP, key: value})
    assert "canary" not in str(caught.value)


def test_settings_that_contradict_each_other_are_a_problem() -> None:
    """A call can't end before it may be connected."""
    assert problems({"ONECHAT_CONNECT_TIMEOUT": 10, "ONECHAT_DEADLINE": 5}) == ["ONECHAT_DEADLINE"]


def test_settings_are_frozen_and_documented() -> None:
    """No setting can be changed after it was read, and each has its sentence."""
    settings = Settings.read(APP)
    with pytest.raises(FrozenInstanceError):
        settings.domain = "other.net"  # type: ignore[misc]
    assert all(setting.metadata["doc"].endswith(".") for setting in fields(Settings))


def test_the_env_file_is_read_without_touching_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it sets is returned, dollar signs and all; a file that isn't there sets nothing."""
    monkeypatch.setenv("HOME", "/canary")
    (tmp_path / ".env").write_text("ONECHAT_API_KEY='key-$HOME-1'\nexport ONECHAT_APP_ID=app-0001\n# no\nLONELY\n")
    assert read_env_file(tmp_path / ".env") == {"ONECHAT_API_KEY": "key-$HOME-1", "ONECHAT_APP_ID": "app-0001"}
    assert read_env_file(tmp_path / "none") == read_env_file(None) == {}


def test_the_secret_key_is_demanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask's SECRET_KEY comes from the config, the environment or `.env`, and is long enough to be one."""
    assert read_secret_key({"SECRET_KEY": b"\xff random bytes \x00"}, None) == (b"\xff random bytes \x00", None)
    (tmp_path / ".env").write_text("SECRET_KEY=from-the-file-0123456789\n")
    assert read_secret_key({}, tmp_path / ".env") == ("from-the-file-0123456789", None)
    monkeypatch.setenv("SECRET_KEY", "from-the-environment-0123")
    assert read_secret_key({}, tmp_path / ".env") == ("from-the-environment-0123", None)
    for wrong in ("canary", 12345678901234567890):
        value, problem = read_secret_key({"SECRET_KEY": wrong}, None)
        assert value is None
        assert problem is not None
        assert problem.key == "SECRET_KEY"
        assert "canary" not in str(problem)
    monkeypatch.delenv("SECRET_KEY")
    assert read_secret_key({}, None)[1] is not None


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("localhost", True), ("127.0.0.1", True), ("::1", True), ("a.localhost", True), (None, False), ("", False),
        ("localhost.evil.example", False), ("evillocalhost", False), ("127.0.0.1.nip.io", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_loopback_is_told_from_what_looks_like_it(name: str | None, ours: bool) -> None:
    """Only names that surely mean this machine may be called without TLS."""
    assert is_loopback(name) is ours


ANYTHING = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text(), max_size=3))


@given(st.sampled_from([setting.name for setting in fields(Settings)]), ANYTHING)
def test_any_value_of_any_setting_is_read_or_named(name: str, value: object) -> None:
    """No value whatever gets past the settings as anything but settings or a `ConfigurationError`."""
    key = f"ONECHAT_{name.upper()}"
    try:
        settings = Settings.read({**APP, key: value})
    except ConfigurationError as error:
        assert {problem.key for problem in error.problems} <= {key, "ONECHAT_DEADLINE"}  # noqa: PT017
    else:
        assert isinstance(settings, Settings)
