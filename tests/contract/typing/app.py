"""Use the public names of an app as its author does: the extension, guarded views, the user. mypy checks this file."""

from collections.abc import Callable
from typing import assert_type

from flask import Flask
from flask.views import MethodView

import miniapp
from miniapp import MiniApp, OneChat, Settings, User, current_user, login_required
from miniapp.outbox import Outbox

app = Flask(__name__)
extension = MiniApp(app, env_file=None)

assert_type(extension.init_app(app), None)
assert_type(extension.client, OneChat)
assert_type(extension.outbox, Outbox)
assert_type(extension.settings, Settings)
assert_type(extension.ready_check(app, "database", lambda: 1), None)
assert_type(miniapp.__version__, str)

MiniApp(app, env_flie=None)  # type: ignore[call-arg]
miniapp.login_requierd  # type: ignore[attr-defined] # noqa: B018


@app.get("/")
@login_required
def page() -> str:
    """Greet the user."""
    return f"Hello, {current_user.jid}"


@app.get("/<int:number>")
@login_required
async def vote(number: int) -> dict[str, int]:
    """Return the vote."""
    return {"number": number}


class Votes(MethodView):
    """Serve the votes."""

    @login_required
    def get(self, number: int) -> list[int]:
        """Return the votes."""
        return [number]


assert_type(page, Callable[[], str])
assert_type(Votes().get(1), list[int])


async def call() -> None:
    """Call an asynchronous view."""
    assert_type(await vote(1), dict[str, int])


login_required("page")  # type: ignore[type-var]

assert_type(current_user, User)
assert_type(current_user.jid, str)
assert_type(current_user.session, str)
assert_type(current_user.issued_at, float)
assert_type(current_user.expires_at, float)
assert_type(current_user.is_authenticated, bool)
assert_type(current_user.is_active, bool)
assert_type(current_user.is_anonymous, bool)
assert_type(current_user.get_id(), str)
current_user.jid = "a@b"  # type: ignore[misc]
