"""Small mini apps for the tests of the framework, and a spy on what they send to the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import flask_login
import requests
from flask import Blueprint, Flask, jsonify, render_template_string, request, session
from flask.views import MethodView
from requests.adapters import HTTPAdapter

from miniapp import MiniApp, current_user, login_required
from miniapp.testing.onechat import LocalOneChat

ORIGIN = {"Origin": "http://localhost"}  # where Flask's test client believes to be
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def create_app(config: Mapping[str, Any]) -> Flask:
    """Make an app with one protected view of every kind."""
    app = Flask(__name__)
    app.config.update(TESTING=True, **config)
    miniapp = MiniApp(app, env_file=None)
    blueprint = Blueprint("part", __name__, url_prefix="/part")

    @app.get("/")
    @login_required
    def page() -> str:
        return render_template_string("<!doctype html>{{ miniapp_script() }}<p>{{ current_user.jid }}</p>")

    @app.get("/plain")
    @flask_login.login_required
    def plain() -> str:
        return current_user.jid

    @app.get("/async")
    @login_required
    async def coroutine() -> str:
        return current_user.jid

    class Method(MethodView):
        decorators = [login_required]

        def get(self) -> str:
            return current_user.jid

    class Single(MethodView):
        @login_required
        def get(self) -> str:
            return current_user.jid

    @blueprint.get("/page")
    @login_required
    def part() -> str:
        return current_user.jid

    @app.post("/note")
    @login_required
    def note() -> Any:
        session["note"] = request.get_json()["note"]
        return "", 204

    @app.get("/note")
    @login_required
    def noted() -> Any:
        return jsonify(session.get("note"))

    @app.post("/alert")
    @login_required
    def alert() -> Any:
        miniapp.client.send_message(request.get_json()["to"], request.get_json()["text"])
        return "", 204

    @app.get("/public")
    def public() -> str:
        return "public"

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        return "bye"

    app.add_url_rule("/method", view_func=Method.as_view("method"))
    app.add_url_rule("/single", view_func=Single.as_view("single"))
    app.register_blueprint(blueprint)
    return app


PROTECTED = ("/", "/plain", "/async", "/method", "/single", "/part/page")


class Spy(HTTPAdapter):
    """Keep the name and body of every REST call, and pass it on to the sandbox."""

    def __init__(self, inner: HTTPAdapter) -> None:
        super().__init__()
        self.inner = inner
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.calls.append((str(request.url).rpartition("/")[2], json.loads(request.body or "{}")))
        return self.inner.send(request, *args, **kwargs)

    def count(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)


def spy_on(app: Flask, onechat: LocalOneChat) -> Spy:
    """Connect `app` to the in-process sandbox, through a `Spy`."""
    onechat.connect(app)
    session = app.extensions["miniapp"].client.session
    spy = Spy(session.get_adapter(onechat.url + "/"))
    session.mount(onechat.url, spy)
    return spy


def sign_in(client: Any, jid: object, session_id: str, **more: Any) -> Any:
    """POST a login as the shim does."""
    return client.post("/miniapp/session", json={"jid": str(jid), "sessionId": session_id, **more}, headers=ORIGIN)
