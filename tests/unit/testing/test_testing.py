"""Tests of the pytest plugin: what its fixtures hand out does what the docs say."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from miniapp import (
    HostBusy,
    HostNonsense,
    HostRefused,
    HostUnreachable,
    MiniApp,
    MiniAppError,
    current_user,
    login_required,
)
from miniapp.testing.onechat import LocalOneChat, Person
from support.paths import ROOT

pytestmark = pytest.mark.slow

Login = Callable[[Flask, Person | str], FlaskClient]


def make_app(config: dict[str, object]) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(config)
    MiniApp(app, env_file=None)

    @app.get("/")
    @login_required
    def home() -> str:
        return current_user.jid

    @app.post("/note")
    @login_required
    def note() -> str:
        return "noted"

    return app


def test_login_goes_the_real_way(onechat: LocalOneChat, login: Login, alice: Person) -> None:
    """`login` gives a client whose requests are those of the user, unsafe ones included."""
    client = login(make_app(onechat.config), alice)
    assert client.get("/").text == alice.jid
    assert client.post("/note").text == "noted"


def test_two_users_have_a_client_each(onechat: LocalOneChat, login: Login, alice: Person, bob: Person) -> None:
    """Two logins in one app are two users."""
    app = make_app(onechat.config)
    clients = login(app, alice), login(app, bob)
    assert [client.get("/").text for client in clients] == [alice.jid, bob.jid]


def test_unknown_user_fails_with_the_sandboxs_words(onechat: LocalOneChat, login: Login) -> None:
    """A session for a user whom the sandbox doesn't know is an error that names the problem."""
    with pytest.raises(MiniAppError, match="no such user"):
        login(make_app(onechat.config), "nobody@onechat.localhost")


def test_sent_and_messages(onechat: LocalOneChat, alice: Person, bob: Person) -> None:
    """What the app sends shows in `sent` and on the phone of whom it was for, and on no other."""
    client = onechat.connect(make_app(onechat.config)).extensions["miniapp"].client
    client.send_message(alice.jid, "Lunch is ready")
    client.mass_broadcast("Kitchen closes at 2")
    assert [(call["call"], call["text"]) for call in onechat.sent()] == [
        ("singleMessage", "Lunch is ready"),
        ("massBroadcast", "Kitchen closes at 2"),
    ]
    assert [call["to"] for call in onechat.sent("singleMessage")] == [alice.jid]
    assert [message["text"] for message in onechat.messages(alice)] == ["Lunch is ready", "Kitchen closes at 2"]
    assert [message["text"] for message in onechat.messages(bob)] == ["Kitchen closes at 2"]


def test_each_test_has_a_fresh_store(onechat: LocalOneChat) -> None:
    """Nothing of an earlier test is left."""
    assert onechat.sent() == []
    assert len(onechat.controls.state()["apps"]) == 1


@pytest.mark.parametrize("end", ["expire", "revoke"])
def test_sessions_can_be_ended(onechat: LocalOneChat, alice: Person, end: str) -> None:
    """After `expire` or `revoke` the session ID is no longer one."""
    client = onechat.connect(make_app(onechat.config)).extensions["miniapp"].client
    session_id = onechat.session(alice)
    assert client.authenticate_user(alice.jid, session_id)
    assert getattr(onechat, end)(alice) == 1
    assert not client.authenticate_user(alice.jid, session_id)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("error", HostRefused),
        ("busy", HostBusy),
        ("html", HostUnreachable),  # a gateway's page, with 502
        ("reset", HostUnreachable),
        ("hang", HostUnreachable),
        ({"status": 200, "body": "oops"}, HostNonsense),
    ],
)
def test_calls_fail_as_told(
    onechat: LocalOneChat, alice: Person, how: str | dict[str, object], error: type[Exception]
) -> None:
    """The next call fails in the way that was ordered, at once even where it hangs; the one after it works."""
    client = onechat.connect(make_app(onechat.config)).extensions["miniapp"].client
    onechat.fail("singleMessage", 1, how)
    began = time.monotonic()
    with pytest.raises(error):
        client.send_message(alice.jid, "Hi")
    assert time.monotonic() - began < 5  # far below the deadline of 15 s
    client.send_message(alice.jid, "Hi again")
    assert [call["text"] for call in onechat.sent()] == ["Hi again"]


def test_second_app_has_settings_of_its_own(onechat: LocalOneChat, alice: Person) -> None:
    """`register` adds an app, whose settings make a mini app of its own."""
    app_id, api_key = onechat.register("Second")
    app = onechat.connect(make_app(onechat.settings(app_id, api_key)))
    app.extensions["miniapp"].client.send_message(alice.jid, "Hi")
    assert app_id != onechat.app_id
    assert [call["appId"] for call in onechat.sent()] == [app_id]


def test_server_is_the_same_on_a_port(onechat_server: LocalOneChat, login: Login, alice: Person) -> None:
    """`onechat_server` listens on loopback, and `login` and `alice` follow it there."""
    assert onechat_server.url.startswith("http://127.0.0.1:")
    app = make_app(onechat_server.config)
    assert login(app, alice).get("/").text == alice.jid
    app.extensions["miniapp"].client.send_message(alice.jid, "Hi")
    assert [message["text"] for message in onechat_server.messages(alice)] == ["Hi"]


@pytest.mark.host_verified
def test_host_knows_its_own_session(onechat_server: LocalOneChat, login: Login, alice: Person) -> None:
    """A session ID of the host's logs its user in: on the sandbox, and on a real OneChat if there are settings."""
    assert login(make_app(onechat_server.config), alice).get("/").text == alice.jid


def test_in_process_sandbox_is_no_server(onechat: LocalOneChat) -> None:
    """Without `connect` there is an error instead of some server's answer."""
    client = make_app(onechat.config).extensions["miniapp"].client
    with pytest.raises(HostUnreachable):
        client.send_message(onechat.alice.jid, "Hi")


# --- as a user of the package has it ---

pytest_plugins = ["pytester"]


def test_host_verified_runs_twice_with_settings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `ONECHAT_VERIFY_*` in the environment a marked test runs against both hosts; an unmarked one does not."""
    for key, value in {
        "APP_ID": "app-12345678",
        "API_KEY": "key-12345678",
        "JID": "6581234567@onechat.net",
        "SESSION_ID": "s-12345678",
        "API_URL": "https://onechat.example/onechat/api",
    }.items():
        monkeypatch.setenv(f"ONECHAT_VERIFY_{key}", value)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.host_verified
        def test_both(onechat_server, alice):
            real = alice.jid.endswith("@onechat.net")
            assert real == onechat_server.config["ONECHAT_API_URL"].startswith("https:")
            if real:
                assert onechat_server.session(alice) == "s-12345678"

        @pytest.mark.host_verified
        def test_control(onechat_server):
            onechat_server.sent()

        def test_one(onechat_server, alice):
            assert alice.jid.endswith("@onechat.localhost")
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4, skipped=1)  # the real host has no `sent`


def test_without_the_extra_the_fixture_says_what_to_install(pytester: pytest.Pytester) -> None:
    """Where the sandbox's dependencies are missing, its fixtures fail with the command that installs them."""
    pytester.makeconftest("import sys; sys.modules['sqlalchemy'] = None")
    pytester.makepyfile("def test_it(onechat): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pip install 'onechat-miniapp?testing?'*"])


def test_plugin_loads_no_sandbox(tmp_path: Path) -> None:
    """A test run that uses no fixture of ours loads neither the sandbox nor its database library."""
    (tmp_path / "test_it.py").write_text(
        "import sys\ndef test_it():\n    assert not {'sqlalchemy', 'watchdog', 'miniapp.sandbox',"
        " 'miniapp.testing.controls', 'miniapp.testing.onechat'} & set(sys.modules)\n"
    )
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    assert subprocess.run(run, capture_output=True, check=False).returncode == 0


def test_documented_examples_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python in docs/testing.md runs as it stands there, with the starter."""
    root = ROOT
    blocks = re.findall(r"^```python\n(.*?)^```$", (root / "docs" / "testing.md").read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.syspath_prepend(root)
    pytester.makepyfile("\n".join(blocks))
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=len(blocks))


def test_every_fixture_is_documented() -> None:
    """docs/testing.md names every fixture and everything that the sandbox can do for a test."""
    text = (ROOT / "docs" / "testing.md").read_text()
    public = {name for name in vars(LocalOneChat) if not name.startswith("_")} - {"url", "alice", "bob"}
    for name in {"onechat", "onechat_server", "alice", "bob", "login"} | public:
        assert re.search(rf"`{name}\b", text), name
