"""Who is there: the login, `login_required`, the session endpoint, the 401 page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask_login import user_logged_in, user_logged_out

from miniapp.login.user import User
from miniapp.testing.onechat import LocalOneChat
from support.apps import ORIGIN, PAGE, PROTECTED, Spy, create_app, sign_in, spy_on


@pytest.fixture
def app(onechat: LocalOneChat) -> Flask:
    return create_app(onechat.config)


@pytest.fixture
def spy(app: Flask, onechat: LocalOneChat) -> Spy:
    return spy_on(app, onechat)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """`later(seconds)`: the clock that ends logins goes forward."""
    offset = 0.0
    real = time.time

    def forward(seconds: float) -> None:
        nonlocal offset
        offset += seconds

    monkeypatch.setattr("time.time", lambda: real() + offset)
    return forward


def apart(call, *args, **kwargs):
    """`call` in a thread of its own: browser tests leave an event loop in this one, and async views refuse that."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *args, **kwargs).result()


@pytest.mark.parametrize("path", PROTECTED)
def test_views_of_every_kind_let_only_verified_users_in(path, app, spy, onechat, alice):
    """A function, an async one, methods, a blueprint and Flask-Login's own decorator behave the same."""
    client = app.test_client()
    assert apart(client.get, path).status_code == 401
    assert sign_in(client, alice, onechat.session(alice)).status_code == 204
    answer = apart(client.get, path)
    assert answer.status_code == 200
    assert alice.jid in answer.text


@pytest.mark.parametrize("path", PROTECTED)
def test_a_page_answers_401_with_the_shim_alone(path, app):
    """A user's first visit gets a page of a few hundred bytes that carries the shim and may log in."""
    answer = apart(app.test_client().get, path, headers=PAGE)
    assert answer.status_code == 401
    assert answer.mimetype == "text/html"
    assert "/miniapp/oc.js?v=" in answer.text
    assert "data-login" in answer.text
    assert len(answer.data) < 1000
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_protected_call_answers_401_in_json(app):
    """A script that asks for data gets the error as data."""
    answer = app.test_client().get("/", headers={"Accept": "*/*", "Sec-Fetch-Mode": "cors"})
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "signed_out"


def test_a_login_asks_the_host_once(app, spy, onechat, alice):
    """After the login no request asks the host, until the lifetime ends."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    for _ in range(50):
        assert client.get("/").status_code == 200
    assert spy.count("authenticateUser") == 1


def test_a_login_ends_with_its_lifetime(app, spy, onechat, alice, later):
    """After the lifetime the same cookie is no login."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    later(280)  # not 299: a busy machine takes some of these seconds for itself
    assert client.get("/").status_code == 200
    later(20)
    assert client.get("/").status_code == 401


def test_a_renewal_extends_the_login_and_keeps_the_session(app, spy, onechat, alice, later):
    """Logging in again as the same user asks the host again and leaves the app's own session data alone."""
    client = app.test_client()
    session_id = onechat.session(alice)
    sign_in(client, alice, session_id)
    client.post("/note", json={"note": "milk"}, headers=ORIGIN)
    app.extensions["miniapp"].verifier._answers.clear()
    later(240)
    assert sign_in(client, alice, session_id).status_code == 204
    later(240)
    assert client.get("/note").json == "milk"
    assert spy.count("authenticateUser") == 2


def test_another_user_finds_nothing_of_the_one_before(app, spy, onechat, alice, bob):
    """A login as another user clears the app's session."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    client.post("/note", json={"note": "milk"}, headers=ORIGIN)
    sign_in(client, bob, onechat.session(bob))
    assert client.get("/note").json is None


def test_an_unknown_session_is_refused_and_logs_out(app, spy, onechat, alice):
    """The host's no is a 401, and ends the login that was there."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    answer = sign_in(client, alice, "not-a-session-of-anybody")
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "refused"
    assert client.get("/").status_code == 401


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("reset", 503, "host_unreachable"),
        ("html", 503, "host_unreachable"),  # a gateway's 502 page
        ({"status": 200, "body": "<p>Hello</p>"}, 502, "host_nonsense"),
        ("busy", 503, "host_busy"),
    ],
)
def test_a_failing_host_starts_and_ends_no_login(how, status, code, app, spy, onechat, alice, bob):
    """Unreachable and busy are 503 with Retry-After, nonsense is 502; who is in stays in."""
    inside, outside = app.test_client(), app.test_client()
    sign_in(inside, alice, onechat.session(alice))
    session_id = onechat.session(bob)
    onechat.fail("authenticateUser", 10, how)
    answer = sign_in(outside, bob, session_id)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "Set-Cookie" not in answer.headers
    assert sign_in(inside, alice, onechat.session(alice)).status_code == status
    assert inside.get("/").status_code == 200


def test_a_bearer_does_what_the_cookie_does(app, spy, onechat, alice):
    """Where cookies are blocked, the login comes as a bearer and goes into a header."""
    client = app.test_client()
    answer = sign_in(client, alice, onechat.session(alice), bearer=True)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert 290 <= answer.json["expiresIn"] <= 300
    bearer = {"Authorization": f"Bearer {answer.json['bearer']}"}
    assert client.get("/").status_code == 401
    assert client.get("/", headers=bearer).status_code == 200
    nonce = "abcdefghijklmnopqrstuv"
    assert f'nonce="{nonce}"' in client.get("/", headers={**bearer, "X-OC-Nonce": nonce}).text
    assert nonce not in client.get("/", headers={**PAGE, "X-OC-Nonce": nonce}).text


def test_a_bearer_is_no_cookie_and_a_cookie_no_bearer(app, spy, onechat, alice):
    """Each is signed for its own use."""
    client = app.test_client(use_cookies=False)
    bearer = sign_in(client, alice, onechat.session(alice), bearer=True).json["bearer"]
    set_cookie = sign_in(client, alice, onechat.session(alice)).headers["Set-Cookie"]
    name, cookie = set_cookie.split(";")[0].split("=", 1)
    assert client.get("/", headers={"Cookie": f"{name}={cookie}"}).status_code == 200
    assert client.get("/", headers={"Cookie": f"{name}={bearer}"}).status_code == 401
    assert client.get("/", headers={"Authorization": f"Bearer {cookie}"}).status_code == 401


def test_logout_ends_the_login(app, spy, onechat, alice):
    """DELETE, and Flask-Login's logout_user in a view, both take the cookie away."""
    client = app.test_client()
    for leave in (lambda: client.delete("/miniapp/session", headers=ORIGIN), lambda: client.get("/logout")):
        sign_in(client, alice, onechat.session(alice))
        assert client.get("/").status_code == 200
        assert leave().status_code in (200, 204)
        assert client.get("/").status_code == 401


def test_flask_logins_signals_are_sent(app, spy, onechat, alice):
    """An app can listen to logins and logouts as with Flask-Login."""
    heard = []

    def on_in(_sender, user):
        heard.append(("in", user.jid))

    def on_out(_sender, user):
        heard.append(("out", user.jid))

    with user_logged_in.connected_to(on_in, app), user_logged_out.connected_to(on_out, app):
        client = app.test_client()
        sign_in(client, alice, onechat.session(alice))
        client.delete("/miniapp/session", headers=ORIGIN)
    assert heard == [("in", alice.jid), ("out", alice.jid)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"jid": "alice@onechat.localhost"},
        {"jid": "alice@onechat.localhost", "sessionId": 12345678},
        {"jid": "alice@onechat.localhost", "sessionId": "short"},
        {"jid": "alice@onechat.localhost", "sessionId": "with blank in it"},
        {"jid": ["alice@onechat.localhost"], "sessionId": "s-12345678"},
        {"jid": "alice", "sessionId": "s-12345678"},
        {"jid": "room@muc.onechat.localhost", "sessionId": "s-12345678"},
        {"jid": "\ud800@onechat.localhost", "sessionId": "s-12345678"},
    ],
)
def test_a_body_of_another_form_is_400(body, app, spy):
    """What is not the documented form never reaches the host."""
    answer = app.test_client().post("/miniapp/session", json=body, headers=ORIGIN)
    assert answer.status_code == 400
    assert answer.json["error"]["message"]
    assert spy.calls == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 8000, b'{"jid": NaN, "sessionId": 1}'])
def test_a_body_that_is_no_json_is_400(raw, app, spy):
    """Broken or absurd JSON is the client's mistake, not ours."""
    answer = app.test_client().post("/miniapp/session", data=raw, content_type="application/json", headers=ORIGIN)
    assert answer.status_code == 400


def test_a_body_too_large_is_413(app, spy):
    """A login has no use for more than 8 KiB."""
    answer = sign_in(app.test_client(), "alice@onechat.localhost", "s" * 9000)
    assert answer.status_code == 413


def test_pages_of_logged_in_users_stay_out_of_shared_caches(app, spy, onechat, alice):
    """What depends on the user says so."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    answer = client.get("/")
    assert "Cookie" in answer.vary
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Vary" not in client.get("/public").headers


def test_a_page_tells_the_shim_whose_login_it_has(app, spy, onechat, alice):
    """The shim learns from its own tag who is logged in and for how long."""
    client = app.test_client()
    sign_in(client, alice, onechat.session(alice))
    page = client.get("/").text
    assert f'data-jid="{alice.jid}"' in page
    assert 'data-left="2' in page or 'data-left="300"' in page
    assert "data-login" not in page


def test_cookie_policy(onechat, alice):
    """lax by default; partitioned for a container on another site."""
    for policy, wanted in (("lax", {"SameSite=Lax"}), ("partitioned", {"SameSite=None", "Secure", "Partitioned"})):
        app = create_app({**onechat.config, "ONECHAT_COOKIE": policy, "ONECHAT_PUBLIC_URL": ""})
        spy_on(app, onechat)
        cookie = sign_in(app.test_client(), alice, onechat.session(alice)).headers["Set-Cookie"]
        assert wanted | {"HttpOnly"} <= set(cookie.split("; "))
        assert ("Secure" in cookie) == (policy == "partitioned")


def test_a_changed_secret_key_still_knows_the_logins_of_the_one_before(onechat, alice):
    """SECRET_KEY_FALLBACKS lets keys be changed while people are logged in."""
    old = create_app(onechat.config)
    spy_on(old, onechat)
    cookie = sign_in(old.test_client(), alice, onechat.session(alice)).headers["Set-Cookie"].split(";")[0]
    fresh = {"SECRET_KEY": "another-secret-key-of-32-letters"}
    rotated = create_app({**onechat.config, **fresh, "SECRET_KEY_FALLBACKS": [onechat.config["SECRET_KEY"]]})
    replaced = create_app({**onechat.config, **fresh})
    assert rotated.test_client(use_cookies=False).get("/", headers={"Cookie": cookie}).status_code == 200
    assert replaced.test_client(use_cookies=False).get("/", headers={"Cookie": cookie}).status_code == 401


def test_two_users_of_one_jid_are_one(app):
    """Logins of equal content are equal, and a login over is over."""
    logins = app.extensions["miniapp"].logins
    user = User("alice@onechat.localhost", 5.0, "d")
    assert logins.read(logins.sign(user, logins.cookies), logins.cookies) == user
    for header in ("", "login=", "login=x", "login=" + "x" * 5000, "\xff=\xff; login"):
        assert logins.from_cookies(header, "login") == ()
