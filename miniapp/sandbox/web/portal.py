"""`/portal`: the admin portal's pages. What is done on them, their script does by the controls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, request
from werkzeug.wrappers import Response

from ... import contract
from ..store.records import User
from .host_page import off_site, page
from .state import sandbox
from .validation import read_number

SHOWN = 200  # of the sessions and sends, the newest; more would make a page that nobody reads
PAGE = 50  # users or groups on one page
SUGGESTED = 50  # users whom a field suggests, administrators first; any other's JID can be typed
MEMBERS_SHOWN = 8  # by name; a group has up to 1,000

bp = Blueprint("portal", __name__, url_prefix="/portal")

bp.before_request(off_site)


@dataclass(frozen=True)
class Part:
    """One page of a list that can be searched."""

    search: str
    number: int
    count: int

    @property
    def skip(self) -> int:
        """The number of entries before this page."""
        return (self.number - 1) * PAGE

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.count // PAGE))


@bp.get("/")
def apps() -> Response:
    """Show the apps, the newest first."""
    store = sandbox().store
    found = store.apps.all()[::-1]
    names = {user.jid: user.name for user in store.users.named({app.admin for app in found})}
    return page("portal/apps.html", apps=found, names=names, admins=store.users.admins())


@bp.get("/users")
def users() -> Response:
    """Show the users."""
    host = sandbox()
    part = _part(host.store.users.count(_search()))
    return page(
        "portal/users.html",
        users=host.store.users.page(part.search, skip=part.skip, limit=PAGE),
        part=part,
        server=host.network.relay and host.network.relay.server,
    )


@bp.get("/groups")
def groups() -> Response:
    """Show the groups."""
    store = sandbox().store
    part = _part(store.messages.group_count(_search()))
    found = store.messages.group_page(part.search, skip=part.skip, limit=PAGE)
    shown = {group.jid: group.members[:MEMBERS_SHOWN] for group in found}
    users = _by_jid(store.users.named({jid for jids in shown.values() for jid in jids} | {g.owner for g in found}))
    return page("portal/groups.html", groups=found, shown=shown, users=users, part=part)


@bp.get("/sessions")
def sessions() -> Response:
    """Show the sessions."""
    host = sandbox()
    found = host.store.sessions.all(SHOWN)
    return page(
        "portal/sessions.html",
        sessions=found,
        users=_by_jid(host.store.users.named({session.jid for session in found})),
        suggested=_by_jid([*host.store.users.admins(), *host.store.users.page(limit=SUGGESTED)]).values(),
        apps={app.app_id: app for app in host.store.apps.all()},
        options=host.options,
    )


@bp.get("/sent")
def sent() -> Response:
    """Show what mini apps have sent."""
    host = sandbox()
    call = request.args.get("call")
    return page(
        "portal/sent.html",
        sent=host.store.messages.sent(call, limit=SHOWN)[::-1],
        apps={app.app_id: app for app in host.store.apps.all()},
        calls=[name for name, call in contract.CALLS.items() if call.keyed],
        chosen=call,
    )


@bp.get("/options")
def options() -> Response:
    """Show the options."""
    return page("portal/options.html", options=sandbox().options)


def _search() -> str:
    return request.args.get("search", "").strip()


def _part(count: int) -> Part:
    part = Part(_search(), read_number("page", request.args.get("page"), 10**6) or 1, count)
    return part if part.number <= part.last else Part(part.search, part.last, count)


def _by_jid(users: Iterable[User]) -> dict[str, User]:
    return {user.jid: user for user in users}
