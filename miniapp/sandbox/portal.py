"""`/portal`: the admin portal's pages. What is done on them, their script does by the controls."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from .. import contract
from .pages import off_site, page
from .state import sandbox

SHOWN = 200  # of the sessions and sends, the newest; more would make a page that nobody reads

bp = Blueprint("portal", __name__, url_prefix="/portal")

bp.before_request(off_site)


@bp.get("/")
def apps() -> Response:
    host = sandbox()
    users = {user.jid: user for user in host.store.users.all()}
    return page("portal/apps.html", apps=host.store.apps.all()[::-1], users=users)


@bp.get("/users")
def users() -> Response:
    return page("portal/users.html", users=sandbox().store.users.all())


@bp.get("/sessions")
def sessions() -> Response:
    host = sandbox()
    return page(
        "portal/sessions.html",
        sessions=host.store.sessions.all()[:SHOWN],
        users={user.jid: user for user in host.store.users.all()},
        apps={app.app_id: app for app in host.store.apps.all()},
        options=host.options,
    )


@bp.get("/sent")
def sent() -> Response:
    host = sandbox()
    call = request.args.get("call")
    return page(
        "portal/sent.html",
        sent=host.store.mail.sent(call)[::-1][:SHOWN],
        apps={app.app_id: app for app in host.store.apps.all()},
        calls=[name for name, call in contract.CALLS.items() if call.keyed],
        chosen=call,
    )


@bp.get("/options")
def options() -> Response:
    return page("portal/options.html", options=sandbox().options)
