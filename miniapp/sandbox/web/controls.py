"""`/_sandbox/*`: the controls, for tests, `miniapp dev` and the admin portal."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, request

from ... import contract
from ..store.records import AppStatus, NotFound, Refusal
from .faults import parse_order
from .parsing import json_body
from .serializers import app_shape, group_shape, options_shape, sent_shape, session_shape, user_shape
from .state import sandbox
from .validation import check_field

LIFETIME_MAX = 366 * 24 * 3600  # seconds; a year is as good as for ever, and dates stay in range
_OPTION_WORDS = {
    "approve": ("at_once", "by_hand"),
    "errors": ("as_http", "as_200"),
    "sessions": ("host", "app"),
}

bp = Blueprint("control", __name__, url_prefix="/_sandbox")


@bp.get("/state")
def state() -> dict[str, Any]:
    """Answer with users, groups, apps, sessions and options."""
    host = sandbox()
    return {
        "domain": host.domain,
        "groupDomain": host.group_domain,
        "users": [user_shape(user) for user in host.store.users.all()],
        "groups": [group_shape(group) for group in host.network.groups()],
        "apps": [app_shape(app) for app in host.store.apps.all()],
        "sessions": [session_shape(session) for session in host.store.sessions.all()],
        "options": options_shape(host.options),
    }


@bp.post("/reset")
def reset() -> tuple[str, int]:
    """Forget everything and seed again."""
    sandbox().reset()
    return "", 204


@bp.post("/users")
def add_user() -> dict[str, Any]:
    """Add a user."""
    host, body = sandbox(), json_body()
    jid = check_field("jid", "user", body) if body.get("jid") is not None else None
    if jid is not None and jid.partition("@")[2] != host.domain:
        raise Refusal("jid: is on another domain.", hint=f"This host serves {host.domain}.")
    user = host.store.users.add(check_field("name", "name", body), jid, admin=_flag("admin", body) or False)
    host.user_changed(user)
    return user_shape(user)


@bp.patch("/users/<jid>")
def change_user(jid: str) -> dict[str, Any]:
    """Change the name of a user, or make or unmake an admin."""
    host, body = sandbox(), json_body()
    name = check_field("name", "name", body) if "name" in body else None
    user = host.store.users.change(_canonical(jid), name=name, admin=_flag("admin", body))
    host.user_changed(user)
    return user_shape(user)


@bp.delete("/users/<jid>")
def remove_user(jid: str) -> tuple[str, int]:
    """Remove a user."""
    sandbox().remove_user(_canonical(jid))
    return "", 204


@bp.post("/users/<jid>/password")
def issue_password(jid: str) -> dict[str, str]:
    """Answer with a new password for chat clients, shown this once."""
    user = sandbox().store.users.get(_canonical(jid))
    return {"jid": user.jid, "password": sandbox().store.passwords.issue(user.jid)}


@bp.post("/sessions")
def issue_session() -> dict[str, Any]:
    """Start a session and answer with its ID."""
    host, body = sandbox(), json_body()
    issued = host.store.sessions.issue(
        check_field("jid", "user", body), _optional("appId", "app_id", body), host.options.session_lifetime
    )
    return {**session_shape(issued.session), "sessionId": issued.session_id}


@bp.post("/sessions/<any(expire, revoke):how>")
def end_sessions(how: str) -> dict[str, int]:
    """End the active sessions that match all that is given; with nothing given, every one."""
    host, body = sandbox(), json_body()
    number = body.get("id")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**63):
        raise Refusal("id: is not a session's number.")
    end = host.store.sessions.expire if how == "expire" else host.store.sessions.revoke
    ended = end(id=number, jid=_optional("jid", "user", body), app_id=_optional("appId", "app_id", body))
    host.ended(ended)
    return {"count": len(ended)}


@bp.post("/apps")
def add_app() -> dict[str, Any]:
    """Add an app and answer with its API key."""
    host, body = sandbox(), json_body()
    admin = check_field("admin", "user", body)
    if not host.store.users.get(admin).admin:
        raise Refusal("admin: is not an administrator.", hint="Make the user one in the admin portal.")
    registered = host.register(
        name=check_field("name", "name", body),
        icon=check_field("icon", "url", body),
        url=check_field("url", "url", body),
        admin=admin,
    )
    return {**app_shape(registered.app), "apiKey": registered.api_key}


@bp.patch("/apps/<app_id>")
def change_app(app_id: str) -> dict[str, Any]:
    """Change the status, URL, name or icon of an app."""
    host, body = sandbox(), json_body()
    status: AppStatus | None = body.get("status")
    if "status" in body and status not in get_args(AppStatus):
        raise Refusal(f"status: is none of {', '.join(get_args(AppStatus))}.")
    app = host.store.apps.change(
        app_id,
        status=status,
        name=_optional("name", "name", body),
        icon=_optional("icon", "url", body),
        url=_optional("url", "url", body),
    )
    host.events.publish("state")
    return app_shape(app)


@bp.delete("/apps/<app_id>")
def remove_app(app_id: str) -> tuple[str, int]:
    """Remove an app."""
    host = sandbox()
    host.ended(host.store.sessions.revoke(app_id=app_id))
    host.store.apps.remove(app_id)
    host.events.publish("state")
    return "", 204


@bp.post("/apps/<app_id>/key")
def renew_key(app_id: str) -> dict[str, str]:
    """Give an app a new API key."""
    registered = sandbox().store.apps.renew_key(app_id)
    return {"appId": registered.app.app_id, "apiKey": registered.api_key}


@bp.get("/sent")
def sent() -> list[dict[str, Any]]:
    """Answer with what the REST API accepted, of one call or app if the query names it."""
    call = request.args.get("call")
    if call is not None and call not in contract.CALLS:
        raise NotFound("call: is none of OneChat's calls.", hint=f"They are {', '.join(contract.CALLS)}.")
    return [sent_shape(one) for one in sandbox().store.messages.sent(call, request.args.get("appId"))]


@bp.post("/fail")
def fail() -> tuple[str, int]:
    """Have the next calls of the REST API fail."""
    sandbox().faults.order(*parse_order(json_body()))
    return "", 204


@bp.patch("/options")
def change_options() -> dict[str, Any]:
    """Change the options."""
    changes: dict[str, Any] = {}
    for name, value in json_body().items():
        if name == "sessionLifetime":
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LIFETIME_MAX:
                raise Refusal(f"sessionLifetime: is not a number of seconds from 1 to {LIFETIME_MAX}.")
            changes["session_lifetime"] = value
        elif name not in _OPTION_WORDS:
            raise Refusal(f"There is no such option; they are {', '.join([*_OPTION_WORDS, 'sessionLifetime'])}.")
        elif value not in _OPTION_WORDS[name]:
            raise Refusal(f"{name}: is none of {', '.join(_OPTION_WORDS[name])}.")
        else:
            changes[name] = value
    return options_shape(sandbox().change_options(changes))


@bp.post("/reload")
def reload() -> tuple[str, int]:
    """Have the phones load the app again."""
    sandbox().events.publish("reload")
    return "", 204


def _canonical(jid: str) -> str:
    return check_field("jid", "user", {"jid": jid})


def _optional(name: str, kind: contract.FieldKind, body: dict[str, Any]) -> str | None:
    return None if body.get(name) is None else check_field(name, kind, body)


def _flag(name: str, body: dict[str, Any]) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refusal(f"{name}: is neither true nor false.")
    return value
