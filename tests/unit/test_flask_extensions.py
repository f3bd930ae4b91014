"""docs/flask-extensions.md: every recipe does what the page says, with the extension itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from miniapp import ConfigurationError, MiniApp, login_required
from miniapp.testing.onechat import LocalOneChat
from support.apps import PAGE, sign_in
from support.paths import TESTS
from support.recipes import recipe, sections

SHIM = "/miniapp/oc.js?v="


@pytest.fixture
def make(onechat: LocalOneChat) -> Callable[..., Flask]:
    """`make(heading, config)`: the app of a recipe, whose calls arrive at `onechat`."""

    def made(heading: str, config: dict[str, Any] | None = None) -> Flask:
        return onechat.connect(recipe(heading).create_app({**onechat.config, **(config or {})}))

    return made


@pytest.fixture
def enter(onechat: LocalOneChat) -> Callable[..., FlaskClient]:
    """`enter(app, user)`: a client that has logged in as the shim does, with no help of the testing plugin's."""

    def entered(app: Flask, user: Any) -> FlaskClient:
        client = app.test_client()
        assert sign_in(client, user.jid, onechat.session(user)).status_code == 204
        return client

    return entered


def test_every_recipe_has_its_test() -> None:
    """No heading of the page without a test here, or behind nginx."""
    files = ("unit/test_flask_extensions.py", "e2e/test_behind_nginx.py")
    tested = "".join((TESTS / file).read_text() for file in files)
    assert {heading for heading in sections() if f'"{heading}"' not in tested} == set()


def test_wtf(make, enter, alice) -> None:
    """A form with its token is taken, one without is refused, and the login needs none."""
    client = enter(make("Flask-WTF"), alice)
    (token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/orders").text)
    origin = {"Origin": "http://localhost"}
    assert client.post("/orders", data={"dish": "soup"}, headers=origin).status_code == 400
    form = {"dish": "soup", "csrf_token": token}
    assert client.post("/orders", data=form, headers=origin).text == f"soup for {alice.jid}"


def test_limiter(make, enter, alice, bob) -> None:
    """Each user has a share of their own; logins, the shim and health checks are not counted."""
    app = make("Flask-Limiter")
    first, second, stranger = enter(app, alice), enter(app, bob), app.test_client()
    for _ in range(105):
        assert stranger.get("/healthz").status_code == stranger.get("/miniapp/oc.js").status_code == 200
    assert {first.get("/").status_code for _ in range(100)} == {200}
    assert first.get("/").status_code == 429
    assert second.get("/").text == bob.jid
    assert enter(app, alice).get("/").status_code == 429


def test_caching(make, enter, alice, bob) -> None:
    """Strangers get nothing of what is cached, and users nothing of one another's."""
    app = make("Flask-Caching")
    first, second, stranger = enter(app, alice), enter(app, bob), app.test_client()
    for _ in range(2):
        assert first.get("/menu").text == second.get("/menu").text == "soup"
        assert first.get("/orders").text == f"the orders of {alice.jid}"
        assert second.get("/orders").text == f"the orders of {bob.jid}"
        assert stranger.get("/menu", headers=PAGE).status_code == stranger.get("/orders").status_code == 401


@pytest.mark.parametrize("kind", ["cached", "memoize"])
def test_a_cache_above_the_guard_is_refused(kind: str, onechat: LocalOneChat) -> None:
    """A cache outside of the login would give its pages to strangers: the app names the view and serves nothing."""
    from flask_caching import Cache

    app = Flask(__name__)
    app.config.update(onechat.config, TESTING=True)
    MiniApp(app, env_file=None)
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})

    @app.get("/orders")
    @getattr(cache, kind)(timeout=60)
    @login_required
    def orders() -> str:
        return "secret"

    with pytest.raises(ConfigurationError, match="below a cache at the view orders"):
        app.test_client().get("/orders")


def test_a_cache_below_other_decorators_is_fine(onechat: LocalOneChat) -> None:
    """What stands above the guard may be anything that keeps no answers."""
    from functools import wraps

    from flask_caching import Cache

    app = Flask(__name__)
    app.config.update(onechat.config, TESTING=True)
    MiniApp(app, env_file=None)
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})

    def timed(view: Callable[..., Any]) -> Callable[..., Any]:
        return wraps(view)(lambda *args, **kwargs: view(*args, **kwargs))

    app.add_url_rule("/orders", "orders", timed(login_required(cache.cached(60)(lambda: "secret"))))
    assert app.test_client().get("/orders").status_code == 401


def test_sqlalchemy(make, enter, alice, bob, tmp_path: Path) -> None:
    """Rows belong to the JID that was logged in, also where one app context is open around all requests."""
    app = make("Flask-SQLAlchemy and Flask-Migrate", {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/lunch.db"})
    origin = {"Origin": "http://localhost"}
    with app.app_context():
        db = app.extensions["sqlalchemy"]
        db.create_all()
        first, second = enter(app, alice), enter(app, bob)
        first.post("/orders", data={"dish": "soup"}, headers=origin)
        second.post("/orders", data={"dish": "rice"}, headers=origin)
        assert first.get("/orders").json == ["soup"]
        assert second.get("/orders").json == ["rice"]
        assert app.test_client().get("/orders").status_code == 401
        db.engine.dispose()


def test_socketio(onechat: LocalOneChat, enter, alice) -> None:
    """A socket is its user's; a stranger gets none, and neither does a login that is over."""
    module = recipe("Flask-SocketIO")
    app = onechat.connect(module.create_app(onechat.config))
    client = enter(app, alice)
    socket = module.socketio.test_client(app, flask_test_client=client)
    socket.emit("order", "soup")
    assert [event["args"] for event in socket.get_received()] == [[f"soup for {alice.jid}"]]
    socket.disconnect()
    stranger = module.socketio.test_client(app, flask_test_client=app.test_client())
    assert not stranger.is_connected()


def test_admin(make, enter, onechat: LocalOneChat, alice, bob) -> None:
    """Strangers get the page that logs in, other users 403, the admin the pages."""
    from flask_babel import Babel

    app = make("Flask-Admin")
    Babel(app)  # as the page says, since it is installed here
    answer = app.test_client().get("/admin/", headers=PAGE)
    assert (answer.status_code, SHIM in answer.text) == (401, True)
    assert enter(app, bob).get("/admin/", headers=PAGE).status_code == 403
    assert "Lunch" in enter(app, alice).get("/admin/", headers=PAGE).text


def test_babel(onechat: LocalOneChat, alice, tmp_path: Path) -> None:
    """The page's commands put MiniApp's sentences into the app's catalogue, and people read them in their language."""
    (commands,) = re.findall(r"```sh\n(.*?)```", sections()["Flask-Babel"], re.DOTALL)
    extract, init, compile_ = commands.strip().splitlines()
    bin = Path(sys.executable).parent

    def shell(command: str) -> None:
        path = f"{bin}:/usr/bin:/bin"
        subprocess.run(command, shell=True, cwd=tmp_path, env={"PATH": path}, check=True, capture_output=True)

    shell(extract)
    shell(init)
    catalogue = tmp_path / "translations/de/LC_MESSAGES/messages.po"
    text = catalogue.read_text()
    for sentence, german in {
        "Open this page in OneChat.": "Öffne diese Seite in OneChat.",
        "OneChat does not know this session. Please close this mini app and open it again.": "Bitte neu öffnen.",
    }.items():
        folded = re.sub(r"(.)", lambda c: re.escape(c[1]), sentence).replace(r"\ ", r'(?: |\s*"\s*"| "\s*")')
        text, count = re.subn(rf'(msgid (?:""\s*)?"{folded}"\s*)msgstr ""', rf'\1msgstr "{german}"', text)
        assert count == 1, sentence
    catalogue.write_text(text)
    shell(compile_)
    module = recipe("Flask-Babel")
    app = module.create_app({**onechat.config, "BABEL_TRANSLATION_DIRECTORIES": str(tmp_path / "translations")})
    client = onechat.connect(app).test_client()
    german = {"Accept-Language": "de"}
    in_german = r"\u00d6ffne diese Seite in OneChat."  # it is JSON, for the shim
    assert in_german in client.get("/", headers={**PAGE, **german}).text
    assert in_german not in client.get("/", headers=PAGE).text
    body = {"jid": alice.jid, "sessionId": "s-unknown-session"}
    answer = client.post("/miniapp/session", json=body, headers={"Origin": "http://localhost", **german})
    assert answer.json["error"]["message"] == "Bitte neu öffnen."


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_talisman(scheme: str, make, onechat: LocalOneChat, alice) -> None:
    """Its redirects and headers are for the app's pages; the login and the page that logs in keep the framework's."""
    app = make("Flask-Talisman", {"ONECHAT_CONTAINER_ORIGINS": "https://web.onechat.example"})
    base = f"{scheme}://lunch.example"
    client = app.test_client()
    assert client.get("/healthz", base_url=base).status_code == 200
    body = {"jid": alice.jid, "sessionId": onechat.session(alice)}
    if scheme == "http":
        assert client.get("/", base_url=base).status_code == 302
    page = client.get("/", base_url="https://lunch.example", headers=PAGE)
    assert SHIM in page.text
    (nonce,) = re.findall(r"<style nonce=\"([^\"]+)\"", page.text)
    assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
    answer = client.post("/miniapp/session", json=body, headers={"Origin": base}, base_url=base)
    assert answer.status_code == 204
    page = client.get("/", base_url="https://lunch.example", headers=PAGE)
    if scheme == "https":
        assert alice.jid in page.text
    assert "frame-ancestors https://web.onechat.example" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers


@pytest.mark.parametrize("first", ["Talisman", "MiniApp"])
def test_talismans_own_defaults_leave_the_login_page_alone(first: str, onechat: LocalOneChat) -> None:
    """Even with `X-Frame-Options` and a policy without nonces for all pages, in whichever order they are set up."""
    from flask_talisman import Talisman

    app = Flask(__name__)
    app.config.update(onechat.config, TESTING=True)
    for name in (first, "MiniApp" if first == "Talisman" else "Talisman"):
        Talisman(app) if name == "Talisman" else MiniApp(app, env_file=None)
    app.add_url_rule("/", "home", login_required(lambda: "in"))
    page = app.test_client().get("/", base_url="https://lunch.example", headers=PAGE)
    (nonce,) = re.findall(r"<style nonce=\"([^\"]+)\"", page.text)
    assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers
