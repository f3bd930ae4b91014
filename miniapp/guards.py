"""Find views that a login guard does not reach, since it stands above the route's decorator.

A route's decorator registers the function that it is given. A guard above it wraps that function too late:

    @login_required          # guards nothing
    @app.get("/orders")
    def orders(): ...

`mark` keeps which functions are inside of a guard; `problems` looks for those among what an app has registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakSet

import flask_login
from flask import Flask

from .errors import ConfigurationError, Problem

MARK = "__miniapp_guarded__"
FLASK_LOGIN = flask_login.login_required.__code__.co_filename
FIX = "Put the route first: @app.get(…), below it @login_required, below that def."

LOGIN_MANAGER_FIX = "Leave it out: MiniApp brings its own, as app.login_manager."

_inside: WeakSet[Any] = WeakSet()


def mark(view: Callable[..., Any], guard: Callable[..., Any]) -> None:
    """Note that `guard` wraps `view`, and whatever `view` itself wraps."""
    setattr(guard, MARK, True)
    for function in _chain(view):
        _inside.add(function)


def install(app: Flask) -> None:
    """Have `app` answer 500 to every request while a view is without its guard, or another login has replaced ours."""
    manager = app.login_manager  # type: ignore[attr-defined]

    def check() -> None:
        found = list(problems(app))
        if app.login_manager is not manager:  # type: ignore[attr-defined]
            found.append(Problem("LoginManager", "was set up after MiniApp and replaced its login.", LOGIN_MANAGER_FIX))
        if found:
            raise ConfigurationError(found)
        # Once is enough: Flask registers nothing after the first request. A new list, since this one is being read.
        hooks = app.before_request_funcs
        hooks[None] = [hook for hook in hooks[None] if hook is not check]

    app.before_request(check)


def problems(app: Flask) -> Iterator[Problem]:
    """Yield a problem for each view and before-request function of `app` whose guard does not reach it."""
    places: list[tuple[str, str, Callable[..., Any]]]
    places = [(f"the view {endpoint}", "route", view) for endpoint, view in app.view_functions.items()]
    for hooks in app.before_request_funcs.values():
        places += [(f"the function {getattr(hook, '__name__', hook)}", "before_request", hook) for hook in hooks]
    for name, outer, function in places:
        if _is_unguarded(function):
            what = f"guards nothing at {name} ({_place(function)}): it stands above the {outer}."
            yield Problem("login_required", what, FIX)


def _is_unguarded(view: Callable[..., Any]) -> bool:
    if any(_is_guard(function) for function in _chain(view)):
        return False
    if _function(view) in _inside:
        return True
    # Flask-Login's own guard keeps no list. But the module's name for the view then means the guard.
    outer = getattr(_function(view), "__globals__", {}).get(getattr(view, "__name__", ""))
    return outer is not view and callable(outer) and any(_is_guard(function) for function in _chain(outer))


def _is_guard(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    return MARK in getattr(function, "__dict__", ()) or getattr(code, "co_filename", "") == FLASK_LOGIN


def _chain(view: Callable[..., Any] | None) -> Iterator[Any]:
    """Yield `view` and what it wraps, as far as `functools.wraps` was used; of methods the functions."""
    while view is not None:
        yield _function(view)
        view = getattr(view, "__wrapped__", None)


def _function(view: Callable[..., Any]) -> Any:
    return getattr(view, "__func__", view)


def _place(view: Callable[..., Any]) -> str:
    function = inspect.unwrap(_function(view))
    code = getattr(function, "__code__", None)
    module = getattr(function, "__module__", "?")
    return f"{module}, line {code.co_firstlineno}" if code else str(module)
