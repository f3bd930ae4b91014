"""The starter: a small mini app to begin from. Ask people to lunch, one by one or as a group, and have them reminded.

The page (`templates/`, `static/`) talks to OneChat as the user, through `window.OC`: it picks contacts and shares
messages. The views below talk to OneChat as the mini app, through `miniapp.client`: they send alerts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue

from miniapp import ConfigurationError, MiniApp, current_user, jid, login_required
from miniapp.settings import read_environment

miniapp = MiniApp()
pages = Blueprint("pages", __name__)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the mini app. `config` comes before the environment, and that before `.env`."""
    app = Flask(__name__)
    own = read_environment(Path(__file__).with_name(".env"))
    app.config.from_mapping(
        APP_NAME=own.get("APP_NAME", "Lunch"),
        ADMIN_JIDS=own.get("ADMIN_JIDS", ""),  # who may tell everyone; separated by commas
        ONECHAT_HEADERS="app",  # the content security policy on our own pages too
        MAX_CONTENT_LENGTH=64 * 1024,  # bytes; the largest form is one message, which has at most 4 KiB
    )
    app.config.from_mapping(config or {})
    app.config["ADMINS"] = {jid.user(entry) for entry in app.config["ADMIN_JIDS"].split(",") if entry.strip()}
    miniapp.init_app(app)
    app.register_blueprint(pages)
    return app


def is_admin() -> bool:
    """Whether the user is one of `ADMIN_JIDS`. OneChat verified the JID, so it can be trusted."""
    return current_user.jid in current_app.config["ADMINS"]


@pages.get("/")
@login_required
def home() -> str:
    """The one page."""
    return render_template("home.html", is_admin=is_admin())


# The client checks JIDs and messages before they leave. What it raises reaches the page as JSON: {"error": {"message",
# "hint", …}}, with 400, 502 or 503 as is due. So no view below has to catch anything.


@pages.post("/api/alerts")
@login_required
def alert_me() -> ResponseReturnValue:
    """Send the user an alert."""
    miniapp.client.send_message(current_user.jid, request.form.get("message", ""))
    return "", 204


@pages.post("/api/group-alerts")
@login_required
def alert_group() -> ResponseReturnValue:
    """Send an alert to the group that the page has started.

    OneChat has no call that tells who is in a group, so whoever knows its JID can do this. Hence the alert says who
    did; an app that keeps its groups in a database would look the user up there.
    """
    message = f"{current_user.jid} reminds you: {request.form.get('message', '')}"
    miniapp.client.send_group_message(request.form.get("groupJid", ""), message)
    return "", 204


@pages.post("/api/broadcast")
@login_required
def tell_everyone() -> ResponseReturnValue:
    """Send an alert to everyone in the OneChat domain; for admins only."""
    if not is_admin():
        hint = "Ask whoever runs it to add your JID to ADMIN_JIDS."
        return {"error": {"code": "not_admin", "message": "This is for the mini app's admins.", "hint": hint}}, 403
    miniapp.client.mass_broadcast(request.form.get("message", ""))
    return "", 204


# Keep this at the end: views of `pages` that come later are not part of the app. Servers take `app` or `application`.
# Without settings there is neither, so that tests can import `create_app`.
try:
    app = application = create_app()
except ConfigurationError as error:
    _missing = error

    def __getattr__(name: str) -> Flask:
        """Tell a server that asks for the app why there is none."""
        if name in ("app", "application"):
            raise _missing
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
