"""The app in a directory, as Flask's `--app` names it: whether there is one, and whether it can import this package."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

from ..errors import Code, MiniAppError

_LATE = {"flask", "flask_login", "jinja2", "requests", "sqlalchemy", "urllib3", "werkzeug"}
"""Packages that the framework imports later than the command line is loaded."""


def is_there(directory: Path, app: str) -> bool:
    """Return whether `directory` has the module of `app`: `wsgi`, `lunch.web:create_app()`, `src/wsgi.py`."""
    name = app.partition(":")[0]
    path = name.removesuffix(".py")
    return any((directory / found).exists() for found in (name, f"{path}.py", *_dotted(path)))


def _dotted(path: str) -> tuple[str, str]:
    path = path.replace(".", "/")
    return path, f"{path}.py"


def refuse_missing(directory: Path, app: str) -> None:
    """Raise `MiniAppError` if neither `directory` nor what is installed has the module of `app`."""
    top = app.partition(":")[0].partition(".")[0]
    if not is_there(directory, app) and not (top.isidentifier() and find_spec(top)):
        raise MiniAppError(
            f"There is no app in {directory}: no module {app.partition(':')[0]}.",
            hint="Go to the project's directory, name the app with --app, or make a project: miniapp new lunch",
            code=Code.NO_APP,
        )


def refuse_hiding(directory: Path) -> None:
    """Raise `MiniAppError` if a module in `directory` hides a package that this one imports, or this one itself."""
    for path in sorted(directory.iterdir()):
        name = path.stem if path.suffix == ".py" else path.name if (path / "__init__.py").is_file() else ""
        file = _file(name)
        if file and directory.resolve() not in file.resolve().parents[:2]:
            raise MiniAppError(
                f"{path.name} in {directory} hides the package {name}, which the framework needs.",
                hint="Rename it: an app imports what is in its own directory first.",
                code=Code.HIDDEN_PACKAGE,
            )


def _file(name: str) -> Path | None:
    """Return where the module `name` comes from, if it is Python's own, an installed one or this package."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None and name in _LATE:
        spec = find_spec(name)
        file = spec and spec.origin
    places = {Path(get_path(place)).resolve() for place in ("stdlib", "purelib", "platlib")} | {
        Path(__file__).parents[1]
    }
    return Path(file) if file and places.intersection(Path(file).resolve().parents) else None
