"""`/phones/*`: what the host page asks and does in the name of the people whose phones it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request

from ... import contract
from ...errors import Code
from ..store.records import Forbidden, NotFound, Refusal, Sender, User
from .connection_faults import connection, is_gone
from .launch import DEVICE_FIELDS, launch
from .parsing import json_body
from .serializers import app_shape, chat_shape, group_shape, invitation_shape, message_shape, thread_shape, user_shape
from .state import Sandbox, sandbox
from .validation import check_field, jid_list, read_number, text_fault

PAGE = 50  # messages at once: three screens of a phone
PAGE_MAX = 200
USERS_SHOWN = 100  # in a phone's choice of users; more are found by the search
PHONES_MAX = 99  # of one user; a page shows four
DEVICE_TEXT_MAX = 100  # characters of each text about a device

bp = Blueprint("phones", __name__, url_prefix="/phones")


@bp.get("/state")
def state() -> dict[str, Any]:
    """Answer with what a page of phones needs: the first users by name, those in `user`, and the approved apps."""
    host = sandbox()
    named = [jid if "@" in jid else f"{jid}@{host.domain}" for jid in request.args.getlist("user")[:PAGE_MAX]]
    first = host.store.users.page(limit=USERS_SHOWN)
    users = {user.jid: user for user in first + host.store.users.named(named)}
    return {
        "domain": host.domain,
        "groupDomain": host.group_domain,
        "users": [user_shape(user) for user in sorted(users.values(), key=lambda user: (user.name, user.jid))],
        "userCount": host.store.users.count(),
        "apps": [app_shape(app) for app in host.store.apps.all() if app.status == "approved"],
    }


@bp.get("/events")
def events() -> Response:
    """Answer with a stream of what arrives on the phones."""
    client = connection(request.environ)
    stream = sandbox().events.stream(request.headers.get("Last-Event-ID"), lambda: is_gone(client))
    return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


@bp.get("/users")
def users() -> list[dict[str, Any]]:
    """Those of the JIDs `jid` that are users: whom a phone is about to name."""
    return [user_shape(user) for user in sandbox().store.users.named(request.args.getlist("jid")[:PAGE_MAX])]


@bp.get("/<jid>/threads")
def threads(jid: str) -> list[dict[str, Any]]:
    """Answer with the conversations of a phone."""
    host, user = _of(jid)
    return [thread_shape(thread) for thread in host.network.threads(user.jid)]


@bp.get("/<jid>/contacts")
def contacts(jid: str) -> list[dict[str, Any]]:
    """Answer with the people whom a phone can choose."""
    host, user = _of(jid)
    limit = _number("limit", PAGE_MAX) or PAGE
    found = host.store.users.page(request.args.get("search", ""), without=user.jid, limit=limit)
    return [user_shape(other) for other in found]


@bp.get("/<jid>/groups")
def groups(jid: str) -> list[dict[str, Any]]:
    """Answer with the groups of a user."""
    host, user = _of(jid)
    return [group_shape(group) for group in host.network.groups(user.jid)]


@bp.get("/<jid>/invitations")
def invitations(jid: str) -> list[dict[str, Any]]:
    """Answer with the open invitations of a user."""
    host, user = _of(jid)
    return [invitation_shape(invitation) for invitation in host.network.invitations(user.jid)]


@bp.post("/<jid>/invitations")
def answer(jid: str) -> tuple[str, int]:
    """Take the person's answer to an invitation."""
    host, user = _of(jid)
    body = json_body()
    accept = body.get("accept")
    if not isinstance(accept, bool):
        raise Refusal("accept: is neither true nor false.")
    host.network.answer(user.jid, check_field("group", "group", body), accept=accept)
    return "", 204


@bp.get("/<jid>/messages")
def messages(jid: str) -> list[dict[str, Any]]:
    """Answer with the messages of a phone, of one thread if given."""
    host, user = _of(jid)
    thread = request.args.get("thread")
    found = host.network.history(
        user.jid, thread, before=_number("before", 2**63 - 1), limit=_number("limit", PAGE_MAX) or PAGE
    )
    return [message_shape(message) for message in found]


@bp.post("/<jid>/messages")
def write(jid: str) -> dict[str, Any]:
    """Send a message that the person typed."""
    host, user = _of(jid)
    body = json_body()
    text = check_field("text", "message", body)
    thread = body.get("thread")
    if thread == host.alerts:
        raise Forbidden("Nobody can write to alerts.", hint="They come from mini apps' backends.")
    sender = Sender(user.jid, user.name)
    if isinstance(thread, str) and thread.endswith(f"@{host.group_domain}"):
        return message_shape(host.network.group(sender, check_field("thread", "group", body), text))
    return message_shape(host.network.direct(sender, check_field("thread", "user", body), text))


@bp.post("/<jid>/read")
def read(jid: str) -> tuple[str, int]:
    """Mark a thread as read."""
    host, user = _of(jid)
    thread = json_body().get("thread")
    if not isinstance(thread, str):
        raise Refusal("thread: is missing.")
    if host.network.mark_read(user.jid, thread):
        host.events.publish("read", {"jid": user.jid, "thread": thread})
    return "", 204


@bp.post("/<jid>/chat")
def chat(jid: str) -> dict[str, Any]:
    """Answer with what a chat client of this user logs in with, such as ocwp on a page without a password."""
    host, user = _of(jid)
    return chat_shape(host.network.chat(user.jid))


@bp.post("/<jid>/launch")
def open_app(jid: str) -> dict[str, str]:
    """Open a mini app: a new session, and the URL with the launch data."""
    host, user = _of(jid)
    body = json_body()
    app = host.store.apps.get(check_field("appId", "app_id", body))
    if app.status != "approved":
        raise Forbidden(f"The app is {app.status}.", hint="Approve it in the admin portal.")
    issued = host.store.sessions.issue(user.jid, app.app_id, host.options.session_lifetime)
    return launch(
        app=app,
        user=user,
        session_id=issued.session_id,
        host=f"{request.scheme}://{request.host}",
        device=_device(body.get("device")),
        phone=_phone(body.get("phone", 1)),
    )


@bp.post("/<jid>/relay")
def relay(jid: str) -> dict[str, Any]:
    """Send what a mini app's page asked for by `OC.message.*.relay`, once the person has agreed to it."""
    host, user = _of(jid)
    with _bridge_codes():
        return {"value": _relay(host, user, json_body())}


@bp.post("/<jid>/relay/check")
def check_relay(jid: str) -> dict[str, Any]:
    """Refuse what `relay` would refuse, before the person is asked. Answers with the JIDs in canonical form."""
    host, user = _of(jid)
    with _bridge_codes():
        _, to = _checked(host, user, json_body())
        return to


@contextmanager
def _bridge_codes() -> Iterator[None]:
    """Refuse with the bridge's own codes: `bad_argument` or `refused`."""
    try:
        yield
    except Refusal as refusal:
        if refusal.status != 400:
            refusal.code = Code.REFUSED
        raise


def _relay(host: Sandbox, user: User, body: dict[str, Any]) -> str | None:
    text, to = _checked(host, user, body)  # all of it first, so that either all get it or none
    sender = Sender(user.jid, user.name)
    if "recipient" in to:
        for recipient in to["recipient"]:
            host.network.direct(sender, recipient, text)
        return None
    group: str = to["groupJid"] if "groupJid" in to else host.network.create_group(user.jid, to["invitees"]).jid
    host.network.group(sender, group, text)
    return group


def _checked(host: Sandbox, user: User, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the text of a relay, and to whom: `recipient`, `groupJid` or `invitees`. Raises `Refusal`."""
    text = check_field("textMessage", "message", body)
    if body.get("recipient") is not None:
        recipients = jid_list("recipient", body["recipient"])
        _all_known(host, "recipient", recipients)
        return text, {"recipient": recipients}
    if body.get("groupJid") is not None:
        group = check_field("groupJid", "group", body)
        known = host.store.messages.find_group(group)
        if known is None:
            raise NotFound(f"groupJid: there is no group {group}.", hint="The admin portal lists the groups.")
        if user.jid not in known.members:
            raise Forbidden("Only its members can write to a group.", hint="Ask a member to be invited.")
        return text, {"groupJid": group}
    invitees = jid_list("invitees", body.get("invitees"))
    _all_known(host, "invitees", invitees)
    if len({user.jid, *invitees}) > contract.MEMBERS_MAX:
        raise Refusal(f"invitees: a group has at most {contract.MEMBERS_MAX} members, the user among them.")
    return text, {"invitees": invitees}


def _all_known(host: Sandbox, field: str, jids: list[str]) -> None:
    if missing := host.store.users.missing(jids):
        raise NotFound(f"{field}: there is no user {missing[0]}.")


def _of(jid: str) -> tuple[Sandbox, User]:
    host = sandbox()
    return host, host.store.users.get(check_field("jid", "user", {"jid": jid}))


def _number(name: str, most: int) -> int | None:
    return read_number(name, request.args.get(name), most)


def _phone(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= PHONES_MAX:
        raise Refusal(f"phone: is not a number from 1 to {PHONES_MAX}.")
    return value


def _device(value: Any) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    device = {name: given.get(name, "") for name in DEVICE_FIELDS}
    for name, text in device.items():
        if not isinstance(text, str) or len(text) > DEVICE_TEXT_MAX or text_fault(text):
            raise Refusal(f"device.{name}: is not a text of at most {DEVICE_TEXT_MAX} visible characters.")
    return device
