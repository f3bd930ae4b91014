"""The same page five ways: for everybody, and for those who are logged in by ours, Flask-Login, JWT, or a call each."""

from __future__ import annotations

import os
from typing import Any

import requests
from flask import Flask, request

JID = "alice@onechat.net"
SESSION_ID = "3f786850e387550fdab836ed7e6dc881de23001b"
KEYS = {"appId": "app-0123456789", "apiKey": "key-0123456789abcdef"}
SECRET_KEY = "a secret for benchmarks alone, 32 bytes and more"  # noqa: S105
PAGE = "<!doctype html><title>Lunch</title><p>Lunch is at noon, {}."


def _app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = SECRET_KEY
    return app


def bare() -> Flask:
    """The limit: the page, and nobody is asked who they are."""
    app = _app()

    @app.get("/")
    def page() -> str:
        return PAGE.format(JID)

    return app


def ours() -> Flask:
    from miniapp import MiniApp, current_user, login_required

    app = _app()
    app.config.update(
        ONECHAT_APP_ID=KEYS["appId"],
        ONECHAT_API_KEY=KEYS["apiKey"],
        ONECHAT_API_URL=os.environ["BENCH_HOST"],
        ONECHAT_LOGIN_LIFETIME=3600,  # longer than any run
    )
    MiniApp(app, env_file=None)

    @app.get("/")
    @login_required
    def page() -> str:
        return PAGE.format(current_user.jid)

    return app


def flask_login() -> Flask:
    """As its documentation has it: a user ID in Flask's session, `user_loader` makes a user of it, with no database."""
    from flask_login import LoginManager, UserMixin, current_user, login_required, login_user

    class User(UserMixin):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self.id = name

    app = _app()
    LoginManager(app).user_loader(User)

    @app.post("/login")
    def login() -> tuple[str, int]:
        login_user(User(JID))
        return "", 204

    @app.get("/")
    @login_required
    def page() -> str:
        return PAGE.format(current_user.id)

    return app


def flask_jwt_extended() -> Flask:
    """A JWT in a cookie, with its CSRF protection as it is by default."""
    from flask import Response
    from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required, set_access_cookies

    app = _app()
    app.config.update(JWT_TOKEN_LOCATION=["cookies"], JWT_ACCESS_TOKEN_EXPIRES=3600)
    JWTManager(app)

    @app.post("/login")
    def login() -> Response:
        response = Response(status=204)
        set_access_cookies(response, create_access_token(identity=JID))
        return response

    @app.get("/")
    @jwt_required()
    def page() -> str:
        return PAGE.format(get_jwt_identity())

    return app


def naive() -> Flask:
    """What one writes first: each request carries the session ID, and asks the host."""
    app = _app()

    @app.post("/login")
    def login() -> Any:
        response = app.response_class(status=204)
        response.set_cookie("session_id", SESSION_ID)
        return response

    @app.get("/")
    def page() -> Any:
        session_id = request.cookies.get("session_id")
        if not session_id:
            return "", 401
        body = {"jid": JID, "sessionId": session_id, **KEYS}
        answer = requests.post(f"{os.environ['BENCH_HOST']}/authenticateUser", json=body, timeout=10)
        if answer.json().get("isAuthenticated") is not True:
            return "", 401
        return PAGE.format(JID)

    return app


SUBJECTS = {
    "bare Flask": bare,
    "miniapp": ours,
    "Flask-Login": flask_login,
    "flask-jwt-extended": flask_jwt_extended,
    "naive": naive,
}
