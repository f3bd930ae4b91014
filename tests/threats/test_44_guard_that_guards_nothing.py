"""Threat 44: `login_required` above the route guards nothing, so the app must not serve anything."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_login
import pytest
from click.testing import CliRunner
from flask import Blueprint, Flask, request
from flask.cli import FlaskGroup
from flask.views import MethodView, View

from miniapp import MiniApp, login_required
from miniapp.errors import ConfigurationError
from miniapp.project.doctor import examine


def other(view: Callable[..., Any]) -> Callable[..., Any]:
    """A well-behaved decorator of another library."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


def plain(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that does not use functools.wraps."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


class Timed:
    """A decorator that is a class."""

    def __init__(self, view: Callable[..., Any]) -> None:
        self.view = view
        self.__name__ = "timed"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.view(*args, **kwargs)


def function(app: Flask) -> None:
    @login_required
    @app.get("/x")
    def orders() -> str:
        return "open"


def coroutine(app: Flask) -> None:
    @login_required
    @app.get("/x")
    async def orders() -> str:
        return "open"


def decorator_between(app: Flask) -> None:
    @login_required
    @other
    @app.get("/x")
    def orders() -> str:
        return "open"


def plain_decorator_between(app: Flask) -> None:
    @login_required
    @plain
    @app.get("/x")
    def orders() -> str:
        return "open"


def class_between(app: Flask) -> None:
    @login_required
    @Timed
    @app.get("/x")
    def orders() -> str:
        return "open"


def decorator_below(app: Flask) -> None:
    @login_required
    @app.get("/x", endpoint="orders")
    @plain
    def orders() -> str:
        return "open"


def wrapped_by_an_extension(app: Flask) -> None:
    """As limiters, caches and tracers do with each view that they find."""
    function(app)
    app.view_functions["orders"] = other(app.view_functions["orders"])


def partial_above(app: Flask) -> None:
    @app.get("/x")
    def orders() -> str:
        return "open"

    login_required(functools.partial(orders))


def registered_as_partial(app: Flask) -> None:
    def orders() -> str:
        return "open"

    app.add_url_rule("/x", "orders", functools.partial(orders))
    login_required(orders)


def of_flask_login(app: Flask) -> None:
    @flask_login.login_required
    @app.get("/x")
    def orders() -> str:
        return "open"


def of_flask_login_imported_in_place(app: Flask) -> None:
    from flask_login import fresh_login_required

    @fresh_login_required
    @app.route(
        "/x",
        methods=["GET"],
    )
    async def orders() -> str:
        return "open"


def route_between(app: Flask) -> None:
    @app.get("/guarded", endpoint="guarded")
    @login_required
    @app.get("/x")
    def orders() -> str:
        return "open"


def blueprint(app: Flask) -> None:
    part = Blueprint("part", __name__)

    @login_required
    @part.route("/x")
    def orders() -> str:
        return "open"

    app.register_blueprint(part)


def nested_blueprint(app: Flask) -> None:
    inner, outer = Blueprint("inner", __name__), Blueprint("outer", __name__)

    @login_required
    @inner.route("/x")
    def orders() -> str:
        return "open"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def add_url_rule(app: Flask) -> None:
    def orders() -> str:
        return "open"

    app.add_url_rule("/x", view_func=orders)
    login_required(orders)


def method_view(app: Flask) -> None:
    class Orders(MethodView):
        def get(self) -> str:
            return "open"

    view = Orders.as_view("orders")
    app.add_url_rule("/x", view_func=view)
    login_required(view)


def bound_method(app: Flask) -> None:
    class Orders:
        def get(self) -> str:
            return "open"

    orders = Orders()
    app.add_url_rule("/x", endpoint="orders", view_func=orders.get)
    login_required(orders.get)


def partial(app: Flask) -> None:
    orders = functools.partial(lambda text: text, "open")
    app.add_url_rule("/x", endpoint="orders", view_func=orders)
    login_required(orders)


def before_request(app: Flask) -> None:
    @login_required
    @app.before_request
    def orders() -> None:
        return None

    app.add_url_rule("/x", view_func=lambda: "open")


def blueprints_before_request(app: Flask) -> None:
    part = Blueprint("part", __name__)

    @login_required
    @part.before_request
    def orders() -> None:
        return None

    part.add_url_rule("/x", view_func=lambda: "open")
    app.register_blueprint(part)


WRONG = [
    function,
    coroutine,
    decorator_between,
    plain_decorator_between,
    class_between,
    decorator_below,
    wrapped_by_an_extension,
    partial_above,
    registered_as_partial,
    of_flask_login,
    of_flask_login_imported_in_place,
    route_between,
    blueprint,
    nested_blueprint,
    add_url_rule,
    method_view,
    bound_method,
    partial,
    before_request,
    blueprints_before_request,
]


def app_of(config: dict[str, Any], *parts: Callable[[Flask], None], first: bool = False) -> Flask:
    """An app with these parts, made before or after `MiniApp.init_app`."""
    app = Flask(__name__)
    app.config.update(config)
    if first:
        MiniApp(app, env_file=None)
    for part in parts:
        part(app)
    if not first:
        MiniApp(app, env_file=None)
    app.add_url_rule("/open", "open", lambda: "public")
    return app


@pytest.mark.parametrize("first", [True, False], ids=["MiniApp first", "MiniApp last"])
@pytest.mark.parametrize("part", WRONG)
def test_every_request_is_refused(part, first, onechat, caplog):
    """No view runs, public ones neither, again and again; the log names the view and the right order."""
    client = app_of(onechat.config, part, first=first).test_client()
    for path in ("/x", "/open", "/x"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert b"open" not in answer.data
    assert "orders" in caplog.text
    assert "Put the route first" in caplog.text


def test_under_test_it_raises(onechat):
    """In tests, where errors propagate, the first request says it."""
    app = app_of({**onechat.config, "TESTING": True}, function)
    with pytest.raises(ConfigurationError, match="orders"):
        app.test_client().get("/open")


def right_order(app: Flask) -> None:
    @app.get("/x")
    @login_required
    @other
    def orders() -> str:
        return "open"


def guarded_twice(app: Flask) -> None:
    @login_required
    @app.get("/x")
    @login_required
    def orders() -> str:
        return "open"


def guard_inside_another(app: Flask) -> None:
    @app.get("/x")
    @other
    @login_required
    def orders() -> str:
        return "open"


def class_decorators(app: Flask) -> None:
    class Orders(View):
        decorators = [login_required]

        def dispatch_request(self) -> str:
            return "open"

    app.add_url_rule("/x", view_func=Orders.as_view("orders"))


def guarded_method(app: Flask) -> None:
    class Orders(MethodView):
        @login_required
        def get(self) -> str:
            return "open"

    app.add_url_rule("/x", view_func=Orders.as_view("orders"))


def guarded_before_request(app: Flask) -> None:
    part = Blueprint("part", __name__)

    @part.before_request
    @login_required
    def orders() -> None:
        return None

    part.add_url_rule("/x", view_func=lambda: "open")
    app.register_blueprint(part)


def plain_decorator_above(app: Flask) -> None:
    @app.get("/x", endpoint="orders")
    @plain
    @login_required
    def orders() -> str:
        return "open"


def class_above(app: Flask) -> None:
    @app.get("/x")
    @Timed
    @flask_login.login_required
    def orders() -> str:
        return "open"


def flask_logins_own(app: Flask) -> None:
    @app.get("/x")
    @other
    @flask_login.login_required
    @plain
    def orders() -> str:
        return "open"


def choice(app: Flask) -> None:
    """A decorator that keeps the view both ways, and decides by the request."""

    def unless_open(view: Callable[..., Any]) -> Callable[..., Any]:
        guarded = login_required(view)

        @functools.wraps(view)
        def wrapper() -> Any:
            return view() if "open" in request.args else guarded()

        return wrapper

    @app.get("/x")
    @unless_open
    def orders() -> str:
        return "open"


def neighbour(app: Flask) -> None:
    """A guarded helper that calls an open view is no guard of that view."""

    @app.get("/all")
    def everything() -> str:
        return "open"

    @login_required
    def helper() -> str:
        return everything()

    app.add_url_rule("/x", "orders", lambda: helper())


def own_guard(app: Flask) -> None:
    """An app's own decorator may have the name of ours."""

    def login_required(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def wrapper() -> Any:
            return view() if flask_login.current_user.is_authenticated else ("", 401)

        return wrapper

    @app.get("/x")
    @login_required
    def orders() -> str:
        return "open"


RIGHT = [
    right_order,
    guarded_twice,
    guard_inside_another,
    class_decorators,
    guarded_method,
    guarded_before_request,
    plain_decorator_above,
    class_above,
    flask_logins_own,
    choice,
    neighbour,
    own_guard,
]


@pytest.mark.parametrize("part", RIGHT)
def test_guards_in_the_right_place_are_left_alone(part, onechat):
    """A guard that is reached refuses strangers, and nothing else is refused."""
    client = app_of(onechat.config, part).test_client()
    assert client.get("/open").text == "public"
    assert client.get("/x").status_code == 401


def test_no_hook_of_the_app_answers_first(onechat):
    """The check comes before every before-request function, also those that the app had before MiniApp."""
    app = Flask(__name__)
    app.config.update(onechat.config)
    app.before_request(lambda: "open")
    function(app)
    MiniApp(app, env_file=None)
    assert app.test_client().get("/x").status_code == 500


def test_the_check_is_made_once(onechat):
    """After a first request that found nothing wrong, later ones don't look again."""
    app = app_of(onechat.config, right_order)
    hooks = len(app.before_request_funcs[None])
    assert app.test_client().get("/x").status_code == 401
    assert len(app.before_request_funcs[None]) == hooks - 1
    assert app.test_client().get("/x").status_code == 401


@pytest.mark.parametrize(("part", "code"), [(right_order, 0), (function, 1)])
def test_flask_routes_says_it(part, code, onechat):
    """`flask routes` fails where a view is without its guard; it makes no request that would."""
    app = app_of(onechat.config, part)
    with app.app_context():  # such as a factory's own, for making tables: no command, no check
        pass
    result = CliRunner().invoke(FlaskGroup(create_app=lambda: app), ["routes"])
    assert result.exit_code == code
    assert isinstance(result.exception, ConfigurationError) == bool(code)


def another_manager(app: Flask) -> None:
    flask_login.LoginManager(app).user_loader(lambda _: None)


def logins_disabled(app: Flask) -> None:
    app.config["LOGIN_DISABLED"] = True


@pytest.mark.parametrize(("change", "key"), [(another_manager, "LoginManager"), (logins_disabled, "LOGIN_DISABLED")])
def test_what_disables_flask_logins_guard_is_refused(change, key, onechat, caplog):
    """Both would have Flask-Login's login_required decide by something other than our login."""
    app = app_of(onechat.config, class_above, change, first=True)
    for path in ("/x", "/open"):
        assert app.test_client().get(path).status_code == 500
    assert key in caplog.text


def test_logins_may_be_disabled_under_test(onechat):
    """Flask-Login documents LOGIN_DISABLED for unit tests; ours asks for a login all the same."""
    app = app_of({**onechat.config, "TESTING": True, "LOGIN_DISABLED": True}, class_above)
    assert app.test_client().get("/x").text == "open"


def test_a_function_that_is_open_here_and_guarded_there_is_refused(onechat):
    """Which of the two was meant can't be known: the error says how to tell."""

    def both(app: Flask) -> None:
        def orders() -> str:
            return "open"

        app.add_url_rule("/x", "open orders", orders)
        app.add_url_rule("/guarded", "orders", login_required(orders))

    assert app_of(onechat.config, both).test_client().get("/x").status_code == 500


def test_what_can_not_be_called_is_refused_at_once():
    """A blueprint, say: its guard is a before-request function."""
    with pytest.raises(TypeError, match="before_request"):
        login_required(Blueprint("part", __name__))


def test_a_class_is_refused_at_once():
    """Above a class-based view it could guard nothing; the error names the way."""
    with pytest.raises(TypeError, match=r"decorators = \[login_required\]"):
        login_required(type("Orders", (MethodView,), {}))


@pytest.mark.parametrize("guard", ["login_required", "fresh_login_required"])
@pytest.mark.parametrize(
    ("above", "below", "status"), [("@guard", "@app.get('/x')", 500), ("@app.get('/x')", "@guard", 401)]
)
def test_flask_logins_own_guards_are_seen_in_modules(guard, above, below, status, onechat, monkeypatch):
    """Of Flask-Login's decorators it is found out by the module's own name for the view."""
    module = types.ModuleType("module_44")
    monkeypatch.setitem(sys.modules, "module_44", module)
    module.app = Flask(__name__)
    module.app.config.update(onechat.config)
    MiniApp(module.app, env_file=None)
    module.guard = getattr(flask_login, guard)
    exec(f"{above}\n{below}\ndef orders():\n    return 'open'\n", module.__dict__)
    assert module.app.test_client().get("/x").status_code == status


def test_doctor_names_the_view(tmp_path: Path, monkeypatch, onechat):
    """`miniapp doctor` says it before the first request does, and says LOGIN_DISABLED too."""
    for key, value in onechat.config.items():
        monkeypatch.setenv(key, str(value))
    (tmp_path / "reversed.py").write_text(
        "from flask import Flask\nfrom miniapp import MiniApp, login_required\napp = Flask(__name__)\n"
        "app.config['LOGIN_DISABLED'] = True\nMiniApp(app, env_file=None)\n"
        "@login_required\n@app.get('/orders')\ndef orders():\n    return 'open'\n"
    )
    found = [finding.what for finding in examine(tmp_path, "reversed") if finding.code == "guard"]
    assert len(found) == 2
    assert "the view orders (reversed.py, line" in found[0]
    assert "LOGIN_DISABLED" in found[1]
