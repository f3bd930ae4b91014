"""`/portal`: the admin portal's pages. What they do, their script does by the controls."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from .pages import off_site, page
from .state import sandbox

bp = Blueprint("portal", __name__, url_prefix="/portal")


@bp.get("/")
def apps() -> Response:
    host = sandbox()
    return off_site() or page("portal/apps.html", apps=host.store.apps.all()[::-1], users=host.store.users.all())
