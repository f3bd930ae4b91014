"""Logging in inside ordinary Flask apps: with guards of the whole app, other extensions, test contexts, host names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask_login
import pytest
from flask import Flask, abort, jsonify, session
from flask_login import LoginManager
from werkzeug.exceptions import Unauthorized

from miniapp import ConfigurationError, MiniApp, current_user, login_required
from support.apps import PAGE

SHIM = "/miniapp/oc.js?v="


@pytest.fixture
def make(onechat) -> Callable[..., Flask]:
    """`make(before, after)`: an app with a protected page; `before` and `after` set it up around MiniApp."""

    def made(
        before: Callable[[Flask], Any] = lambda _: None,
        after: Callable[[Flask], Any] = lambda _: None,
        config: dict[str, Any] | None = None,
        **options: Any,
    ) -> Flask:
        app = Flask("inside", **options)
        app.config.update({**onechat.config, **(config or {})})
        before(app)
        MiniApp(app, env_file=None)
        after(app)
        app.add_url_rule("/me", "me", login_required(lambda: current_user.jid))
        onechat.connect(app)
        return app

    return made


def log_in(app: Flask, onechat, user, base: str = "http://localhost") -> Any:
    """A client of `app` at `base` that has logged in as the shim does."""
    client = app.test_client()
    body = {"jid": user.jid, "sessionId": onechat.session(user)}
    answer = client.post("/miniapp/session", json=body, headers={"Origin": base}, base_url=base)
    assert answer.status_code == 204, answer.text
    return client


# --- guards of the whole app ---


def flask_login_guard(app: Flask) -> None:
    app.before_request(flask_login.login_required(lambda: None))


def our_guard(app: Flask) -> None:
    app.before_request(login_required(lambda: None))


def unauthorized_guard(app: Flask) -> None:
    @app.before_request
    def guard() -> Any:
        return None if current_user.is_authenticated else app.login_manager.unauthorized()


def forbidding_guard(app: Flask) -> None:
    """A guard of the kind that Flask-WTF, Flask-Limiter and Flask-Talisman install."""
    app.before_request(lambda: abort(400, "The CSRF token is missing.") if not current_user.is_authenticated else None)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("guard", [flask_login_guard, our_guard, unauthorized_guard, forbidding_guard])
def test_the_login_works_under_a_guard_of_the_whole_app(guard, place, make, onechat, alice):
    """A guard that refuses requests without a login does not refuse the login, the shim or the health checks."""
    app = make(**{place: guard})
    stranger = app.test_client()
    assert stranger.get("/me", headers=PAGE).status_code in (400, 401)
    for path in ("/miniapp/oc.js", "/miniapp/oc.d.ts", "/healthz", "/readyz"):
        assert stranger.get(path).status_code == 200, path
    assert log_in(app, onechat, alice).get("/me").text == alice.jid


def test_views_stay_guarded_and_hooks_run(make, onechat, alice):
    """Hooks of the app still run for the app's own routes, in their order."""
    ran: list[str] = []
    app = make(
        lambda app: app.before_request(lambda: ran.append("first")),
        lambda app: app.before_request(lambda: ran.append("last")),
    )
    log_in(app, onechat, alice).get("/me")
    assert ran == ["first", "last"]


def test_the_csrf_check_runs_before_any_hook(make, onechat, alice):
    """A forged POST with the login reaches neither the view nor a hook that acts for the user."""
    acted: list[str] = []
    app = make(lambda app: app.before_request(lambda: acted.append(current_user.jid)))
    client = log_in(app, onechat, alice)
    assert client.post("/me", headers={"Origin": "https://evil.example"}).status_code == 403
    assert acted == []


# --- the user belongs to the request ---


def test_an_app_context_around_requests_shares_no_user(make, onechat, alice, bob):
    """Inside `with app.app_context()`, as database fixtures have it, every client is its own user."""
    app = make()
    with app.app_context():
        first, second, stranger = log_in(app, onechat, alice), log_in(app, onechat, bob), app.test_client()
        for _ in range(2):
            assert first.get("/me").text == alice.jid
            assert second.get("/me").text == bob.jid
            assert stranger.get("/me").status_code == 401
        with app.test_request_context("/"):
            assert not current_user.is_authenticated


def test_a_logout_inside_an_app_context_ends_one_login(make, onechat, alice, bob):
    """What one request leaves in the app context takes no other user's cookie away."""
    app = make(after=lambda app: app.add_url_rule("/out", "out", lambda: (flask_login.logout_user(), "bye")[1]))
    with app.app_context():
        first, second = log_in(app, onechat, alice), log_in(app, onechat, bob)
        first.get("/out")
        assert "Set-Cookie" not in second.get("/me").headers
        assert first.get("/me").status_code == 401
        assert second.get("/me").text == bob.jid


# --- every 401 of a navigation ---


def test_abort_401_carries_the_shim(make):
    """`abort(401)` in a view gives a person's navigation the page that logs in, a script JSON."""
    client = make(after=lambda app: app.add_url_rule("/x", "x", lambda: abort(401))).test_client()
    assert SHIM in client.get("/x", headers=PAGE).text
    assert client.get("/x").json["error"]["code"] == "signed_out"


def test_a_401_with_words_of_its_own_is_left_alone(make):
    """Another scheme, a response of the app's, or a handler of the app's stay as they are."""

    def basic() -> None:
        raise Unauthorized(www_authenticate=flask_www("Basic"))

    def flask_www(scheme: str) -> Any:
        from werkzeug.datastructures import WWWAuthenticate

        return WWWAuthenticate(scheme, {"realm": "staff"})

    client = make(after=lambda app: app.add_url_rule("/x", "x", basic)).test_client()
    answer = client.get("/x", headers=PAGE)
    assert SHIM not in answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    app = make(
        after=lambda app: (
            app.add_url_rule("/x", "x", lambda: abort(401)),
            app.register_error_handler(401, lambda _: ("mine", 401)),
        )
    )
    assert app.test_client().get("/x", headers=PAGE).text == "mine"


def test_fresh_login_required_asks_for_one_more_login(make, onechat, alice):
    """A page that demands a fresh login carries the shim, and opens after the next login."""

    def after(app: Flask) -> None:
        app.add_url_rule("/fresh", "fresh", flask_login.fresh_login_required(lambda: current_user.jid))

    app = make(after=after)
    client = log_in(app, onechat, alice)
    answer = client.get("/fresh", headers=PAGE)
    assert (answer.status_code, SHIM in answer.text) == (401, True)
    body = {"jid": alice.jid, "sessionId": onechat.session(alice)}
    assert client.post("/miniapp/session", json=body, headers={"Origin": "http://localhost"}).status_code == 204
    assert client.get("/fresh").text == alice.jid


# --- another LoginManager ---


def test_a_login_manager_set_up_later_is_told(make):
    """One that replaces MiniApp's would break the login, so the first request says it."""
    app = make(after=lambda app: LoginManager(app), config={"TESTING": True})
    with pytest.raises(ConfigurationError, match="LoginManager"):
        app.test_client().get("/me")


# --- host names ---


@pytest.mark.parametrize("base", ["http://lunch.example", "http://app.lunch.example", "http://lunch.example:5000"])
def test_the_routes_follow_the_pages_under_subdomain_matching(base, make, onechat, alice):
    """With `subdomain_matching` the framework's routes are wherever a page of the app can be."""
    server = base.removeprefix("http://").removeprefix("app.")

    def after(app: Flask) -> None:
        app.add_url_rule("/at", "at", login_required(lambda: current_user.jid), subdomain="app")

    app = make(after=after, config={"SERVER_NAME": server}, subdomain_matching=True)
    assert app.test_client().get("/miniapp/oc.js", base_url=base).status_code == 200
    client = log_in(app, onechat, alice, base)
    path = "/at" if "app." in base else "/me"
    assert client.get(path, base_url=base).text == alice.jid


@pytest.mark.parametrize("base", ["http://lunch.example", "http://a.b.lunch.example:5000"])
def test_the_routes_follow_the_pages_under_host_matching(base, make, onechat, alice):
    """With `host_matching` the framework's routes are at every host of the app."""
    host = base.removeprefix("http://")

    def after(app: Flask) -> None:
        app.add_url_rule("/at", "at", login_required(lambda: current_user.jid), host=host)

    app = make(after=after, host_matching=True, static_host="static.example", static_folder=None)
    assert app.test_client().get("/healthz", base_url=base).status_code == 200
    assert log_in(app, onechat, alice, base).get("/at", base_url=base).text == alice.jid
    assert SHIM in app.test_client().get("/at", base_url=base, headers=PAGE).text


def test_the_apps_own_session_is_its_own(make, onechat, alice):
    """None of this opens Flask's session where the app has none."""

    def after(app: Flask) -> None:
        app.add_url_rule("/count", "count", lambda: jsonify(len(session)))

    client = log_in(make(after=after), onechat, alice)
    assert client.get("/count").json == 0
    assert client.get_cookie("session") is None


# --- what people read, and what developers do ---


@pytest.mark.parametrize("debug", [False, True])
def test_a_wrong_key_is_no_unknown_session(debug, make, onechat, alice, caplog):
    """The person reads a plain sentence; log and debug mode say which call was refused and what to check."""
    app = make(config={"ONECHAT_API_KEY": "not-the-key-of-this-app"})
    app.debug = debug
    body = {"jid": alice.jid, "sessionId": onechat.session(alice)}
    answer = app.test_client().post("/miniapp/session", json=body, headers={"Origin": "http://localhost"})
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "host_refused")
    assert "ONECHAT" not in answer.json["error"]["message"]
    assert ("ONECHAT_API_KEY" in answer.json["error"]["hint"]) == debug
    assert "Check ONECHAT_APP_ID and ONECHAT_API_KEY" in caplog.text
    assert body["sessionId"] not in caplog.text


def test_an_unknown_session_is_no_wrong_key(make, alice):
    """A session that OneChat does not know has a code and a sentence of its own."""
    body = {"jid": alice.jid, "sessionId": "s-unknown-session"}
    answer = make().test_client().post("/miniapp/session", json=body, headers={"Origin": "http://localhost"})
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "refused")


def test_no_sentence_for_people_names_a_setting():
    """Keys, settings and calls are a developer's business."""
    from miniapp.texts import TEXTS

    for sentence in TEXTS.values():
        assert not any(word in sentence for word in ("ONECHAT", "API", "key", "setting", "login_required", "OC."))


# --- behind proxies ---


@pytest.mark.parametrize(
    ("base", "origin", "status"),
    [
        ("https://lunch.example:443", "https://lunch.example", 204),
        ("https://lunch.example", "https://lunch.example:443", 204),
        ("http://lunch.example:80", "http://lunch.example", 204),
        ("http://lunch.example:443", "https://lunch.example", 204),  # TLS ended at the proxy
        ("http://Lunch.example", "http://lunch.example", 204),
        ("http://lunch.example:8443", "https://lunch.example", 403),
        ("https://lunch.example:80", "https://lunch.example", 403),
        ("https://lunch.example", "http://lunch.example", 403),
        ("https://lunch.example", "https://lunch.example.evil.example", 403),
        ("https://lunch.example", "https://lunch.example:443:443", 403),
        ("https://lunch.example", "http://[", 403),
        ("https://lunch.example", "", 403),
        ("https://lunch.example", "null", 403),
    ],
)
def test_origins_are_compared_without_their_schemes_port(base, origin, status, make, onechat, alice, caplog):
    """Browsers leave the default port out, proxies may write it; a refusal is logged once, with what was compared."""
    client = make().test_client()
    body = {"jid": alice.jid, "sessionId": onechat.session(alice)}
    for _ in range(2):
        answer = client.post("/miniapp/session", json=body, headers={"Origin": origin}, base_url=base)
        assert answer.status_code == status
    refusals = [record for record in caplog.messages if "Refused an unsafe request" in record]
    assert len(refusals) == (status == 403)
    assert all(repr(origin) in text and "lunch.example" in text for text in refusals)
