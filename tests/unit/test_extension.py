"""`MiniApp.init_app`: state per app, settings, helpers, headers, health."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager

import miniapp
from miniapp import ConfigurationError, MiniApp
from support.apps import PAGE, create_app, sign_in, spy_on


def test_the_public_names_are_these():
    """Nothing public comes or goes unnoticed."""
    assert miniapp.__all__ == sorted(miniapp.__all__)
    assert set(miniapp.__all__) == {
        "ConfigurationError",
        "HostBusy",
        "HostError",
        "HostNonsense",
        "HostRefused",
        "HostUnreachable",
        "JIDError",
        "LedgerError",
        "MessageError",
        "MiniApp",
        "MiniAppError",
        "OneChat",
        "Registration",
        "Settings",
        "User",
        "current_user",
        "login_required",
    }
    assert all(hasattr(miniapp, name) for name in miniapp.__all__)


def test_every_problem_is_told_at_once(monkeypatch):
    """One error names every key that is wrong and how to mend it."""
    for key in ("SECRET_KEY", "ONECHAT_APP_ID", "ONECHAT_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    app = Flask(__name__)
    app.config.update(ONECHAT_API_URL="http://example.com", ONECHAT_BODDY="json", ONECHAT_API_KEY=100000.0)
    with pytest.raises(ConfigurationError) as caught:
        MiniApp(app, env_file=None)
    assert {problem.key for problem in caught.value.problems} == {
        "SECRET_KEY",
        "ONECHAT_API_URL",
        "ONECHAT_BODDY",
        "ONECHAT_API_KEY",
        "ONECHAT_APP_ID",
    }
    assert all(problem.fix for problem in caught.value.problems)
    assert "100000" not in str(caught.value)


def test_secrets_come_from_a_file_too(tmp_path, onechat, monkeypatch):
    """`.env` is read for what neither the config nor the environment has, and the environment is left alone."""
    monkeypatch.delenv("SECRET_KEY", raising=False)
    config = dict(onechat.config)
    secret = config.pop("SECRET_KEY")
    key = config.pop("ONECHAT_API_KEY")
    (tmp_path / ".env").write_text(f"SECRET_KEY={secret}\nONECHAT_API_KEY='{key}'\n")
    app = Flask(__name__, root_path=str(tmp_path))
    app.config.update(config)
    MiniApp(app)
    assert app.config["SECRET_KEY"] == secret
    assert app.extensions["miniapp"].settings.api_key == key
    import os

    assert "ONECHAT_API_KEY" not in os.environ


def test_one_object_serves_several_apps(onechat, alice):
    """Each app has its own settings, client and logins."""
    extension = MiniApp()
    apps = []
    for prefix in ("/one", "/two"):
        app = Flask(prefix.strip("/"))
        app.config.update(onechat.config, ONECHAT_URL_PREFIX=prefix)
        extension.init_app(app, env_file=None)
        apps.append(app)
    for app, prefix in zip(apps, ("/one", "/two"), strict=True):
        with app.app_context():
            assert extension.settings.url_prefix == prefix
            assert extension.client is app.extensions["miniapp"].client
    assert apps[0].extensions["miniapp"].client is not apps[1].extensions["miniapp"].client


def test_a_second_set_up_is_refused(onechat):
    """init_app twice, or beside another LoginManager, says what to do."""
    app = create_app(onechat.config)
    with pytest.raises(ConfigurationError, match="once"):
        MiniApp(app)
    other = Flask(__name__)
    other.config.update(onechat.config)
    LoginManager(other)
    with pytest.raises(ConfigurationError, match="LoginManager"):
        MiniApp(other, env_file=None)


def test_outside_of_an_app_with_it_the_client_says_what_is_missing():
    """`miniapp.onechat.client` in an app without init_app is a clear error."""
    with Flask(__name__).app_context(), pytest.raises(ConfigurationError, match="init_app"):
        _ = MiniApp().client


def test_health_and_readiness(onechat):
    """/healthz tells of the process, /readyz of the app's own checks, neither of the host."""
    app = create_app(onechat.config)
    broken = []
    app.extensions["miniapp"].checks["disk"] = lambda: 1 / 0 if broken else None
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    broken.append(True)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "failed": ["disk"]})


def test_ready_check_registers(onechat):
    """`MiniApp.ready_check` adds to what /readyz asks."""
    app = Flask(__name__)
    app.config.update(onechat.config)
    extension = MiniApp(app, env_file=None)
    asked = []
    extension.ready_check(app, "queue", lambda: asked.append(True))
    assert app.test_client().get("/readyz").status_code == 200
    assert asked == [True]


def test_headers_on_the_framework_alone_or_on_the_whole_app(onechat):
    """One setting puts the security headers on every page; a view's own headers stay."""
    for headers, wanted in (("framework", False), ("app", True)):
        app = create_app({**onechat.config, "ONECHAT_HEADERS": headers})
        client = app.test_client()
        assert ("Content-Security-Policy" in client.get("/public").headers) == wanted
        assert "Content-Security-Policy" in client.get("/", headers=PAGE).headers
        assert client.get("/miniapp/oc.js").headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Frame-Options" not in client.get("/public").headers


def test_errors_of_the_host_become_answers(onechat, alice):
    """What a view lets through is answered in JSON: 400 for the caller's mistake, 502 and 503 for the host's."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))

    def alert(to, text):
        return client.post("/alert", json={"to": to, "text": text}, headers={"Origin": "http://localhost"})

    assert alert(alice.jid, "hello").status_code == 204
    assert alert("nonsense", "hello").json["error"]["code"] == "jid"
    assert alert(alice.jid, "").json["error"]["code"] == "message"
    assert alert("nobody@onechat.localhost", "hello").status_code == 502
    onechat.fail("singleMessage", 1, {"status": 200, "body": "<p>Hello</p>"})
    assert alert(alice.jid, "hello").status_code == 502
    onechat.fail("singleMessage", 1, "busy")
    answer = alert(alice.jid, "hello")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_flask_sessions_work_as_ever(onechat, alice):
    """An app's own session is read, changed and kept, and costs nothing where there is none."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    answer = client.get("/public")
    assert "Set-Cookie" not in answer.headers
    assert client.get("/note").json is None
    client.post("/note", json={"note": "milk"}, headers={"Origin": "http://localhost"})
    assert client.get("/note").json == "milk"
    with client.session_transaction() as session:
        assert session["note"] == "milk"
        session.clear()
    assert client.get("/note").json is None


def test_an_apps_own_kind_of_session_stays(onechat):
    """An app that has replaced Flask's sessions keeps its own."""

    class Own(SecureCookieSessionInterface):
        pass

    app = Flask(__name__)
    app.session_interface = Own()
    app.config.update(onechat.config)
    MiniApp(app, env_file=None)
    assert type(app.session_interface) is Own
