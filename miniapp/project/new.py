"""`miniapp new`: a project of one's own, made of the starter's files and what runs them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import contract
from ..errors import ConfigurationError, ScaffoldError
from ..settings import Settings

STARTER = ("wsgi.py", "templates", "static", "tests/test_starter.py")
"""What is copied as it stands; the wheel carries it as `miniapp/_starter/`."""

FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    ".env": "env.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore",
    ".dockerignore": "dockerignore",
    "Dockerfile": "Dockerfile",
    "gunicorn.conf.py": "gunicorn.conf.py",
}
"""What else a project has, and the file below `miniapp/templates/scaffold/` that it is made from."""

SECRET_FILES = frozenset({".env"})
"""Readable by their owner alone, from the moment that they exist."""

_PACKAGE = Path(__file__).parents[1]
# Letters, digits, - and _ : a directory, a Python distribution and a container image may all be called so. 64
# characters are more than anybody types, and fewer than the 128 that an image's name may have.
_PROJECT_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?\Z")
# The app's name goes into .env, TOML and Markdown: no quotes, backslashes, $ or backticks to be escaped there.
_APP_NAME = re.compile(r"[^\W_](?:[\w .,:!?&+()'\u2019-]{0,62}[\w.!?)])?\Z")


@dataclass(frozen=True)
class Question:
    """One thing to ask who starts a project: at a prompt, or by an option.

    `default` takes the project's directory. `check` returns the answer as it is to be used, or raises
    `ScaffoldError`.
    """

    key: str
    flag: str
    prompt: str
    default: Callable[[Path], str]
    check: Callable[[str], str]


def create(directory: Path, answers: Mapping[str, str], *, force: bool = False) -> tuple[Path, ...]:
    """Make a project in `directory` and return the paths of its files: all of them, or none and a `ScaffoldError`.

    `answers` has the answers to `QUESTIONS` by key; where one is missing, its default is taken. The directory must
    not be there, or be empty; with `force` it may have files, which stay as they are.
    """
    target = _checked(directory, force=force)
    unknown = set(answers) - {question.key for question in QUESTIONS}
    if unknown:
        raise ScaffoldError(f"No question has the key {min(unknown)!r}.", hint="The keys are in scaffold.QUESTIONS.")
    values = {
        question.key: question.check(answers.get(question.key, question.default(target))) for question in QUESTIONS
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place, since a rename within one file system is done at once.
    staging = target.parent / f".{target.name}-{secrets.token_hex(4)}"
    staging.mkdir()
    try:
        for name, content in _contents(target.name, values):
            _write(staging / name, content, secret=name in SECRET_FILES)
        names = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
        if target.exists():
            names = _move_into(target, staging, names)
        else:
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return tuple(target / name for name in names)


def starter() -> Path:
    """Return where the starter's files are: in the wheel's `_starter`, or at the root of a checkout."""
    for place in (_PACKAGE / "_starter", _PACKAGE.parent):
        if all((place / name).exists() for name in STARTER):
            return place
    raise ScaffoldError("The starter's files are missing.", hint="Install onechat-miniapp again.")


def _checked(directory: Path, *, force: bool) -> Path:
    """`directory`, absolute, if a project may be made there."""
    if "\0" in str(directory):
        raise ScaffoldError("The directory's name has a NUL character.", hint="Leave it out.")
    if ".." in directory.parts:
        raise ScaffoldError("The directory's path has `..` in it.", hint="Give its whole path, or go to its parent.")
    target = Path(os.path.abspath(directory))  # not resolve(): it would follow the symbolic link that we refuse
    if not _PROJECT_NAME.match(target.name):
        raise ScaffoldError(
            "The directory's name can't be a project's.",
            hint="Use 1 to 64 letters, digits, - and _, a letter first: lunch-club.",
        )
    if target.is_symlink():
        raise ScaffoldError(f"{target.name} is a symbolic link.", hint="Give the directory that it leads to.")
    if target.exists():
        if not target.is_dir():
            raise ScaffoldError(f"{target.name} is a file.", hint="Give another name.")
        if not force and any(target.iterdir()):
            raise ScaffoldError(
                f"{target.name} is not empty.", hint="Give another directory, or --force: files that are there stay."
            )
    return target


def _contents(project: str, values: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    source = starter()
    for part in STARTER:
        files = sorted((source / part).rglob("*")) if (source / part).is_dir() else [source / part]
        for path in files:
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".pyc":
                yield path.relative_to(source).as_posix(), path.read_bytes()
    templates = Environment(  # noqa: S701  (nothing here is HTML)
        loader=FileSystemLoader(_PACKAGE / "templates" / "scaffold"),
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    version = metadata.version("onechat-miniapp")
    for name, template in FILES.items():
        text = templates.get_template(template).render(
            values, project=project, version=version, secret_key=secrets.token_urlsafe(32), default=contract
        )
        yield name, text.encode()


def _write(path: Path, content: bytes, *, secret: bool) -> None:
    """Write a new file; a secret one is for its owner alone before it has any content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_EXCL: never through a symbolic link, never over something that is there.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o666)
    with open(descriptor, "wb") as file:
        file.write(content)


def _move_into(target: Path, staging: Path, names: list[Path]) -> list[Path]:
    """Add those of the files to a directory that are not there; take them back if one fails."""
    parents = {parent for name in names for parent in name.parents}
    for parent in parents:
        if (target / parent).is_symlink():
            raise ScaffoldError(f"{parent} is a symbolic link.", hint="Put a directory there.")
    new = [parent for parent in sorted(parents, reverse=True) if not (target / parent).exists()]
    added: list[Path] = []
    try:
        for name in names:
            if not os.path.lexists(target / name):
                _write(target / name, (staging / name).read_bytes(), secret=str(name) in SECRET_FILES)
                added.append(name)
    except BaseException:
        for name in added:
            (target / name).unlink(missing_ok=True)
        for parent in new:
            with contextlib.suppress(OSError):  # not made yet, or somebody else has put something there
                (target / parent).rmdir()
        raise
    return added


# --- the questions ---


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not _APP_NAME.match(name):
        raise ScaffoldError(
            "That can't be the app's name.", hint="Use 1 to 64 letters, digits, blanks and simple punctuation."
        )
    return name


def _setting(name: str) -> Callable[[str], str]:
    """Return a check by what the framework itself demands of the setting `name`."""

    def check(text: str) -> str:
        key, value = f"ONECHAT_{name.upper()}", text.strip()
        try:
            settings = Settings.read({key: value}, demand_app=False)
        except ConfigurationError as error:
            for problem in error.problems:  # others come from the environment: not what is asked here
                if problem.key == key:
                    raise ScaffoldError(f"That {problem.what}", hint=problem.fix) from None
            return value
        return str(getattr(settings, name)) if value else ""

    return check


QUESTIONS = (
    Question(
        "name",
        "--name",
        "What is the mini app called?",
        lambda directory: re.sub(r"[-_]+", " ", Path(os.path.abspath(directory)).name).strip().capitalize(),
        _name,
    ),
    Question(
        "public_url",
        "--url",
        "At which https URL will it be? (empty: not known yet)",
        lambda _: "",
        _setting("public_url"),
    ),
    Question(
        "domain",
        "--domain",
        "Which OneChat domain are its users in?",
        lambda _: contract.DOMAIN,
        _setting("domain"),
    ),
)
"""What `miniapp new` asks: three things at most, each with a default that works."""
