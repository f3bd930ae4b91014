"""Find views that a login guard does not reach, since it stands above the route's decorator.

A route's decorator registers the function that it is given. A guard above it wraps that function too late:

    @login_required          # guards nothing
    @app.get("/orders")
    def orders(): ...

`mark` keeps which functions are inside of a guard; `problems` looks for those among what an app has registered.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import linecache
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakSet

import flask_login
from flask import Flask

from ..errors import Problem

FIX = "Put the route first: @app.get(…), below it @login_required, below that def."

_FLASK_LOGIN = (flask_login.login_required, flask_login.fresh_login_required)
_guards = {guard(lambda: None).__code__ for guard in _FLASK_LOGIN}
"""The code that all the functions share which one such decorator returns."""
_guarded: WeakSet[Any] = WeakSet()
"""The functions that our `login_required` was given, and those inside of them."""


def mark(view: Callable[..., Any], guard: Callable[..., Any]) -> None:
    """Note that `guard` is a guard, and that it wraps `view` with all that `view` wraps."""
    _guards.add(guard.__code__)
    for function in _all(view):
        with contextlib.suppress(TypeError):  # not every callable can be referred to weakly
            _guarded.add(function)


def problems(app: Flask) -> Iterator[Problem]:
    """Yield a problem for each view and before-request function of `app` whose guard does not reach it."""
    places: list[tuple[str, str, Any]]
    places = [(f"the view {endpoint}", "route", view) for endpoint, view in app.view_functions.items()]
    for hooks in app.before_request_funcs.values():
        places += [(f"the function {getattr(hook, '__name__', hook)}", "before_request", hook) for hook in hooks]
    for name, outer, registered in places:
        if _is_cached_with_its_guard(registered):
            what = f"is below a cache at {name}: every stranger gets what it keeps."
            yield Problem("login_required", what, "Put @login_required above @cache.cached or @cache.memoize.")
        function = _unguarded(registered)
        if function is not None:
            what = f"guards nothing at {name} ({_place(function)}): it stands above the {outer}, or beside it."
            yield Problem("login_required", what, FIX)


def _unguarded(function: Any, seen: frozenset[int] = frozenset()) -> Any:
    """Return the function that a call of `function` reaches past a guard that was meant for it, or None."""
    if _is_guard(function) or id(function) in seen:
        return None
    if _is_guarded(function) or _is_decorated_too_late(function):
        return function
    # A decorator may keep both a view and the guarded view, to choose between them: that is its own decision.
    chosen = {id(inner) for kept in _kept(function) if _is_guard(kept) for inner in _all(kept)}
    for inner in _inside(function):
        if id(inner) not in chosen:
            found = _unguarded(inner, seen | {id(function)})
            if found is not None:
                return found
    return None


def _is_guard(function: Any) -> bool:
    return isinstance(function, FunctionType) and function.__code__ in _guards


def _is_guarded(function: Any) -> bool:
    with contextlib.suppress(TypeError):
        return function in _guarded
    return False


def _is_cached_with_its_guard(function: Any) -> bool:
    """Return whether a decorator of Flask-Caching stands above a guard of `function`."""
    outside = itertools.takewhile(lambda wrapper: not _is_guard(wrapper), _all(function))
    cached = (wrapper.uncached for wrapper in outside if hasattr(wrapper, "uncached"))
    return any(_is_guard(inner) for view in cached for inner in _all(view))


# --- what wraps what ---


def _all(function: Any) -> Iterator[Any]:
    """Yield `function` and all that it wraps."""
    waiting, seen = [function], set()
    while waiting:
        inner = waiting.pop()
        if id(inner) not in seen:
            seen.add(id(inner))
            yield inner
            waiting += _inside(inner)


def _inside(function: Any) -> list[Any]:
    """Return what `function` wraps: also that of partials, methods and decorators without `functools.wraps`."""
    if isinstance(function, functools.partial):
        return [function.func]
    for name in ("__func__", "__wrapped__"):
        if callable(inner := getattr(function, name, None)):
            return [inner]
    return list(_kept(function))


def _kept(function: Any) -> Iterator[Any]:
    """Yield the functions that were passed to the decorator that made `function`, and that it keeps."""
    if not isinstance(function, FunctionType):
        values = getattr(function, "__dict__", {}).values() if not isinstance(function, type) else ()
        yield from (value for value in values if isinstance(value, FunctionType))
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            if isinstance(value := cell.cell_contents, FunctionType) and not _is_neighbour(name, value, function):
                yield value


def _is_neighbour(name: str, value: FunctionType, function: FunctionType) -> bool:
    """Return whether `function` knows `value` only by its name, since both were defined in the same function."""
    scope = value.__qualname__.rpartition(".")[0]
    return name == value.__name__ and bool(scope) and function.__qualname__.startswith(f"{scope}.")


# --- Flask-Login's guards, which mark nothing ---


def _is_decorated_too_late(function: Any) -> bool:
    """Return whether one of Flask-Login's guards is around `function`: by its module's names, or by its source."""
    if not isinstance(function, FunctionType):
        return False
    outer = function.__globals__.get(function.__name__)
    if _is_guard(outer) and any(inner is function for inner in _all(outer)):
        return True
    return any(decorator is guard for decorator in _decorators(function) for guard in _FLASK_LOGIN)


def _decorators(function: FunctionType) -> Iterator[Any]:
    """Yield the decorators without arguments above `function` in its source, where their names are known."""
    code = function.__code__
    lines = (linecache.getline(code.co_filename, number) for number in itertools.count(code.co_firstlineno))
    above = list(itertools.takewhile(lambda line: line and not re.match(r"\s*(async\s|def\s)", line), lines))
    try:
        (definition,) = ast.parse(textwrap.dedent("".join(above)) + "def function(): ...").body
    except (SyntaxError, ValueError):
        return
    for decorator in definition.decorator_list if isinstance(definition, ast.FunctionDef) else ():
        first, _, second = ast.unparse(decorator).partition(".")
        value = function.__globals__.get(first)
        if value is None and _imports(code.co_filename, second or first):
            yield getattr(flask_login, second or first, None)
        elif second and isinstance(value, ModuleType):
            yield getattr(value, second, None)
        else:
            yield value


def _imports(filename: str, name: str) -> bool:
    """Return whether some function in the file imports Flask-Login's `name`, which is then no name of the module."""
    pattern = re.compile(rf"\s+(from flask_login import .*\b{re.escape(name)}\b|import flask_login\b)")
    return any(pattern.match(line) for line in linecache.getlines(filename))


def _place(function: Any) -> str:
    if view_class := getattr(function, "view_class", None):
        return f"class {view_class.__qualname__}"
    code = getattr(function, "__code__", None)
    return f"{Path(code.co_filename).name}, line {code.co_firstlineno}" if code else type(function).__name__
