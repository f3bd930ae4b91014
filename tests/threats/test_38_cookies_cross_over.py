"""Threat 38: a cookie of another app, another host name or another setting neither logs in nor locks out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import pytest
from flask import Flask, jsonify, render_template_string
from playwright.sync_api import Browser, BrowserContext, Page, expect

from miniapp import MiniApp, current_user, login_required
from miniapp.login.user import User
from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.apps import create_app, spy_on
from support.servers import serving

HTTPS = {"base_url": "https://lunch.example/"}
SECURE = [HTTPS, {"base_url": "http://alice.lunch.onechat.localhost:5000/"}]


def signed(app: Flask, jid: str, *, age: float = 0, lifetime: float = 300) -> str:
    """A login of `jid` that was made `age` seconds ago."""
    logins, issued = app.extensions["miniapp"].logins, time.time() - age
    return logins.sign(User(jid, issued + lifetime, "digest", issued), logins.cookies)


def name_of(app: Flask) -> str:
    return app.extensions["miniapp"].logins.cookie.name


def who(app: Flask, cookies: list[tuple[str, str]], **options: str) -> str | None:
    """Whom a request with these cookies, in this order, is from."""
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
    answer = app.test_client(use_cookies=False).get("/plain", headers=header, **options)
    return answer.text if answer.status_code == 200 else None


@pytest.fixture
def lunch(onechat: LocalOneChat) -> Flask:
    return create_app(onechat.config)


def test_every_value_is_tried_and_the_newest_login_wins(lunch, alice, bob):
    """Whatever stands beside it, and in whatever order, the latest login that is not over counts."""
    name = name_of(lunch)
    values = {
        "nonsense": "x.y",
        "empty": "",
        "over": signed(lunch, bob.jid, age=400),
        "older, and good for longer": signed(lunch, bob.jid, age=60, lifetime=86_400),
        "latest": signed(lunch, alice.jid, age=1),
    }
    for order in permutations(values):
        assert who(lunch, [(name, values[which]) for which in order]) == alice.jid, order


def test_of_two_equally_new_logins_the_later_cookie_wins(lunch, alice, bob):
    """Browsers send the cookie that was made first first."""
    logins, now = lunch.extensions["miniapp"].logins, time.time()
    first, second = (logins.sign(User(u.jid, now + 300, "d", now), logins.cookies) for u in (alice, bob))
    assert who(lunch, [(name_of(lunch), first), (name_of(lunch), second)]) == bob.jid


@pytest.mark.parametrize("options", SECURE, ids=["https", "localhost"])
def test_where_cookies_are_secure_only_the_hosts_own_counts(options, lunch, alice, bob):
    """A login that a sister host set, without the prefix, does not count: alone, before and after the true one."""
    set_by_sister = (name_of(lunch), signed(lunch, alice.jid))
    own = (f"__Host-{name_of(lunch)}", signed(lunch, bob.jid, age=100))
    assert who(lunch, [set_by_sister], **options) is None
    assert who(lunch, [set_by_sister, own], **options) == bob.jid
    assert who(lunch, [own, set_by_sister], **options) == bob.jid


@pytest.mark.parametrize("options", SECURE, ids=["https", "localhost"])
@pytest.mark.parametrize("cookie", ["lax", "partitioned"])
def test_a_secure_login_cookie_has_the_prefix(cookie, options, onechat, alice):
    """`__Host-`, Secure, HttpOnly, the path `/` and no Domain: what browsers demand of the name."""
    app = create_app({**onechat.config, "ONECHAT_COOKIE": cookie})
    spy_on(app, onechat)
    client = app.test_client()
    body = {"jid": alice.jid, "sessionId": onechat.session(alice)}
    origin = {"Origin": options["base_url"].rstrip("/")}
    answer = client.post("/miniapp/session", json=body, headers=origin, **options)
    assert answer.status_code == 204
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith(f"__Host-{name_of(app)}=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert client.get("/plain", **options).text == alice.jid
    # an unsafe request that carries it must come from a page of ours
    assert (
        client.post("/note", json={"note": "x"}, headers={"Origin": "https://evil.example"}, **options).status_code
        == 403
    )


def test_the_cookie_of_another_app_is_nothing(onechat, lunch, alice):
    """Two apps on one host name have a cookie each, and neither takes the other's for its own."""
    app_id, api_key = onechat.register("Dinner", "http://localhost:5001/")
    dinner = create_app({**onechat.config, "ONECHAT_APP_ID": app_id, "ONECHAT_API_KEY": api_key})
    assert name_of(dinner) != name_of(lunch)
    assert who(dinner, [(name_of(lunch), signed(lunch, alice.jid))]) is None
    assert who(dinner, [(name_of(dinner), signed(lunch, alice.jid))]) is None


@pytest.mark.parametrize("options", [{}, *SECURE], ids=["plain", "https", "localhost"])
def test_logging_out_leaves_no_login_of_another_setting(options, onechat, lunch):
    """Where it could have been set, the partitioned cookie is deleted too: in a browser that is another cookie."""
    origin = {"Origin": options.get("base_url", "http://localhost/").rstrip("/")}
    answer = lunch.test_client().delete("/miniapp/session", headers=origin, **options)
    deleted = [cookie for cookie in answer.headers.getlist("Set-Cookie") if "Max-Age=0" in cookie]
    assert sorted("Partitioned" in cookie for cookie in deleted) == ([False, True] if options else [False])


# --- in a browser ---

PAGE = """<!doctype html><title>App</title>{{ miniapp_script() }}<link rel="icon" href="data:,">
<h1>{{ current_user.jid }}</h1>"""


def mini_app(settings: dict[str, str]) -> Flask:
    app = Flask("miniapp_38")
    app.config.update(settings)
    MiniApp(app, env_file=None)

    @app.get("/")
    @login_required
    def page() -> str:
        return render_template_string(PAGE)

    @app.get("/api/me")
    @login_required
    def me():
        return jsonify(current_user.jid)

    return app


@dataclass
class Sandbox:
    """A host page with phones of Alice and Bob."""

    page: Page
    onechat: LocalOneChat

    def settings(self, name: str, port: int) -> dict[str, str]:
        app_id, api_key = self.onechat.register(name, f"http://onechat.localhost:{port}/")
        return {**self.onechat.settings(app_id, api_key), "ONECHAT_PUBLIC_URL": ""}

    def open(self, number: int, name: str):
        """The frame of the app `name` on a phone, once its page greets the phone's user."""
        phone = self.page.get_by_test_id(f"phone-{number}")
        if phone.get_by_test_id("app-close").count():
            phone.get_by_test_id("app-close").click()
        phone.get_by_test_id("tab-apps").click()
        phone.get_by_test_id("app").filter(has_text=name).click()
        user = (self.onechat.alice, self.onechat.bob)[number]
        expect(phone.frame_locator("iframe").get_by_role("heading")).to_have_text(user.jid)
        frame = phone.locator("iframe").element_handle().content_frame()
        frame.evaluate("OC.app.ready")
        return frame


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def sandbox(onechat_server: LocalOneChat, context: BrowserContext) -> Sandbox:
    page = context.new_page()
    page.goto(f"{browser_url(onechat_server.url)}/?phones=alice,bob")
    return Sandbox(page, onechat_server)


ME = "fetch('/api/me').then((r) => r.json())"


@pytest.mark.parametrize("path", ["/", "/api"])
def test_two_users_and_two_apps_stay_who_they_are(path, sandbox, context):
    """Every pair of user and app has a cookie jar; a login that one of them sets for all does not count."""
    alice, bob = sandbox.onechat.alice.jid, sandbox.onechat.bob.jid
    apps = []

    def make(name):
        def made(port):
            apps.append(mini_app(sandbox.settings(name, port)))
            return apps[-1]

        return made

    with serving(make("Lunch")), serving(make("Dinner")):
        frames = {(n, name): sandbox.open(n, name) for n, name in ((0, "Lunch"), (1, "Lunch"))}
        hosts = {frame.evaluate("location.hostname") for frame in frames.values()}
        login = name_of(apps[0])
        dinner = sandbox.open(0, "Dinner")
        hosts.add(dinner.evaluate("location.hostname"))
        assert len(hosts) == 3
        # of every cookie that Alice's Dinner is sent, none is Lunch's
        names = {cookie["name"] for cookie in context.cookies(dinner.url)}
        assert not any(login in name for name in names)
        # a script plants Alice's own good login for all hosts
        dinner.evaluate(
            "(cookie) => { document.cookie = cookie; }",
            f"{login}={signed(apps[0], alice)}; Domain=onechat.localhost; Path={path}",
        )
        assert any(cookie["name"] == login for cookie in context.cookies(f"{frames[1, 'Lunch'].url}api/me"))
        assert frames[1, "Lunch"].evaluate(ME) == bob
        assert sandbox.open(1, "Lunch").evaluate(ME) == bob


def test_another_setting_locks_no_user_out(sandbox):
    """After `ONECHAT_COOKIE` went from lax to partitioned and back, users log in as before, and can log out."""
    made: list[dict[str, str]] = []
    current: list[Flask] = []

    def make(port):
        made.append(sandbox.settings("Lunch", port))
        current.append(mini_app(made[0]))
        front = Flask("front")
        front.wsgi_app = lambda environ, start: current[-1].wsgi_app(environ, start)
        return front

    with serving(make):
        for cookie in ("lax", "partitioned", "lax"):
            current.append(mini_app({**made[0], "ONECHAT_COOKIE": cookie}))
            frame = sandbox.open(1, "Lunch")
            assert frame.evaluate(ME) == sandbox.onechat.bob.jid
        frame.evaluate("OC.app.signOut()")
        assert frame.evaluate("fetch('/api/me').then((r) => r.status)") == 401
