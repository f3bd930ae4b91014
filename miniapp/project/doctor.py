"""What is wrong with a mini app: its settings, its way to OneChat, cookies and framing, secrets, versions.

Each check yields findings. None of them repeats a secret. App ID and API key go to OneChat alone, and only to what
answers as OneChat does.
"""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import requests

from ..errors import ConfigurationError, HostBusy, HostError, HostRefused, MiniAppError, Problem
from ..hosts import is_loopback
from ..login import startup
from ..login.secret_keys import FALLBACKS, read_secret_key
from ..onechat.client import OneChat
from ..settings import PREFIX, Settings, read_env_file
from . import appfile
from .envfile import git

if TYPE_CHECKING:
    from flask import Flask

Level = Literal["ok", "warn", "error"]

TIMEOUT = (5.0, 10.0)  # seconds to connect, to answer: a person waits, and a host that is slower is worth a finding
CLOCK_MAX = 60.0  # seconds: beyond it, certificates and logins of several machines begin to disagree
MADE_UP_SESSION = "doctor-made-up-session"
READ_MAX = 64 * 1024  # bytes: enough to tell what answers
SOURCES = (".py", ".js", ".css", ".html", ".json", ".txt", ".toml", ".yml", ".yaml", ".svg", ".md")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `code` for programs, what was found, and how to mend it."""

    code: str
    level: Level
    what: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the fields, for JSON."""
        return asdict(self)


def examine(directory: Path, app: str = "wsgi") -> list[Finding]:
    """Return all findings about the mini app in `directory`, whose app is loaded as Flask's `--app` would."""
    env_file = directory / ".env"
    settings, loaded, found = _load(directory, app, env_file)
    findings = [*found, *_files(directory, env_file, loaded), *_versions()]
    if settings is not None:
        findings += [*_policy(settings, of_app=loaded is not None), *_host(settings), *_public(settings)]
    return findings


# --- settings ---


class _NoApp(Exception):
    """There is no such app in the directory."""


def _load(directory: Path, app: str, env_file: Path) -> tuple[Settings | None, Flask | None, list[Finding]]:
    """Return the settings, those of the app if it can be loaded, and what is wrong with them."""
    try:
        loaded = _load_app(directory, app)
    except ConfigurationError as error:
        return _tolerant(env_file), None, [_setting(problem) for problem in error.problems]
    except MiniAppError as error:
        return _tolerant(env_file), None, [Finding("app", "error", error.message, error.hint), *_without_app(env_file)]
    except _NoApp:
        return _tolerant(env_file), None, list(_without_app(env_file))
    except (Exception, SystemExit) as error:
        # The kind alone: the text of somebody else's error may hold anything.
        what, fix = f"The app can't be loaded: {type(error).__name__}.", f"See why: flask --app {app} routes"
        return _tolerant(env_file), None, [Finding("app", "error", what, fix), *_without_app(env_file)]
    state = loaded.extensions.get("miniapp")
    if state is None:
        what, fix = "The app has no MiniApp.", "Call MiniApp().init_app(app) where the app is made."
        return _tolerant(env_file), loaded, [Finding("app", "error", what, fix)]
    problems = startup.problems(loaded)
    found = [Finding("guard", "error", f"{problem.key} {problem.what}", problem.fix) for problem in problems]
    return state.settings, loaded, found or [Finding("settings", "ok", "All settings are right.")]


def _load_app(directory: Path, app: str) -> Flask:
    from flask.cli import ScriptInfo

    if not appfile.is_there(directory, app):
        raise _NoApp
    appfile.refuse_hiding(directory)
    return ScriptInfo(app_import_path=str(directory / app)).load_app()


def _without_app(env_file: Path) -> Iterator[Finding]:
    """Findings about the environment and `.env` alone."""
    problems = []
    try:
        Settings.read({}, env_file)
    except ConfigurationError as error:
        problems = list(error.problems)
    _, problem = read_secret_key({}, env_file)
    problems += [problem] if problem else []
    yield from map(_setting, problems)
    if not problems:
        yield Finding("settings", "ok", "All settings are right.")


def _tolerant(env_file: Path) -> Settings | None:
    try:
        return Settings.read({}, env_file, demand_app=False)
    except ConfigurationError:
        return None


def _setting(problem: Problem) -> Finding:
    return Finding(f"setting:{problem.key}", "error", f"{problem.key} {problem.what}", problem.fix)


# --- cookies and framing ---


def _policy(settings: Settings, *, of_app: bool) -> Iterator[Finding]:
    public = urlsplit(settings.public_url)
    origins = settings.container_origins
    if settings.cookie == "partitioned" and public.scheme != "https":
        fix = "Set ONECHAT_PUBLIC_URL to the app's https URL, or ONECHAT_COOKIE=lax."
        yield Finding("cookie", "error", "Partitioned cookies need https, and the public URL is not.", fix)
    elif (
        settings.cookie == "lax"
        and public.hostname
        and any(_site(origin) != _site(public.geturl()) for origin in origins)
    ):
        what = "A container on another site frames the app, and browsers keep `lax` cookies from such frames."
        yield Finding("cookie", "warn", what, "Set ONECHAT_COOKIE=partitioned.")
    else:
        yield Finding("cookie", "ok", f"The login cookie is {settings.cookie}.")
    if origins:
        yield Finding("framing", "ok", f"May be framed by {', '.join(origins)}.")
    else:
        what = "No web page may frame the app: it works in native containers alone."
        yield Finding("framing", "warn", what, "Set ONECHAT_CONTAINER_ORIGINS if OneChat's web view is a frame.")
    if settings.headers == "app":
        yield Finding("headers", "ok", "Every page has the security headers.")
    elif of_app:  # otherwise the app's own configuration, which may set it, is not known
        what = "Only the framework's own pages have the security headers."
        yield Finding("headers", "warn", what, "Set ONECHAT_HEADERS=app.")


def _site(url: str) -> str:
    """Return the last two labels of the host name: the site, for all but the longer public suffixes such as co.uk."""
    host = urlsplit(url).hostname or ""
    return ".".join(host.split(".")[-2:])


# --- the network ---


def _host(settings: Settings) -> Iterator[Finding]:
    """Check whether OneChat answers. The probe is a call without any field, which OneChat can only refuse."""
    url = f"{settings.api_url}/{settings.authenticate_path}"
    with requests.Session() as session:
        session.trust_env = settings.trust_env
        session.verify = settings.ca_file or True
        try:
            with session.post(url, json={}, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                status, date = answer.status_code, answer.headers.get("Date", "")
                documented = _is_documented(next(answer.iter_content(READ_MAX), b""))
        except requests.RequestException as error:
            why = _why(error)
            fix = "Check ONECHAT_API_URL, the network, and whether a proxy is needed (ONECHAT_TRUST_ENV=1)."
            if "certificate" in why:
                fix = "Set ONECHAT_CA_FILE to the CA's certificate if OneChat's is signed by a CA of your own."
            yield Finding("host", "error", f"{settings.api_url} can't be reached: {why}.", fix)
            return
    if documented:
        yield Finding("host", "ok", f"OneChat answers at {settings.api_url}.")
        yield from _credentials(settings)
    else:
        what = f"What answers at {settings.api_url} is not OneChat as documented: HTTP {status}, no JSON with a status."
        yield Finding("host", "warn", what, "Check ONECHAT_API_URL and ONECHAT_AUTHENTICATE_PATH.")
    try:
        skew = abs(parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return
    if skew > CLOCK_MAX:
        what = f"This machine's clock and OneChat's differ by {skew:.0f} seconds."
        yield Finding("clock", "warn", what, "Let a time service set the clock.")
    else:
        yield Finding("clock", "ok", "This machine's clock agrees with OneChat's.")


def _credentials(settings: Settings) -> Iterator[Finding]:
    """Check that OneChat takes app ID and API key: for a made-up session it then says no, not `Error`."""
    if not (settings.app_id and settings.api_key):
        return
    try:
        with OneChat(settings) as client:
            client.authenticate_user(f"doctor@{settings.domain}", MADE_UP_SESSION)
    except HostBusy:
        return
    except HostRefused as error:
        what = f"OneChat refuses the app's calls: {error.description}."
        yield Finding("credentials", "error", what, error.hint or "Look for the app in OneChat's admin portal.")
    except HostError as error:
        yield Finding("credentials", "warn", f"App ID and API key could not be tried: {error.message}", error.hint)
    else:
        yield Finding("credentials", "ok", "OneChat takes the app's ID and API key.")


def _is_documented(body: bytes) -> bool:
    from ..onechat.outcome import parse

    return (parse(body) or {}).get("status") in ("Success", "Error")


def _public(settings: Settings) -> Iterator[Finding]:
    """Check the app's own URL as others see it: https, and no secret file served."""
    if not settings.public_url:
        what = "The app's public URL is not known, so it was not looked at."
        yield Finding("https", "warn", what, "Set ONECHAT_PUBLIC_URL.")
        return
    if is_loopback(urlsplit(settings.public_url).hostname):
        fix = "Set ONECHAT_PUBLIC_URL to its https URL once it has one."
        yield Finding("https", "warn", "The app's public URL is this machine's own.", fix)
    exposed = []
    with requests.Session() as session:
        session.trust_env = settings.trust_env
        for name in (".env", ".git/config", "static/.env"):
            try:
                url = f"{settings.public_url}/{name}"
                with session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                    body = next(answer.iter_content(READ_MAX), b"")
            except requests.RequestException as error:
                fix = "Check its name, its certificate and that it runs."
                yield Finding("https", "error", f"{settings.public_url} can't be reached: {_why(error)}.", fix)
                return
            if answer.status_code == 200 and (b"SECRET_KEY" in body or PREFIX.encode() in body or b"[core]" in body):
                exposed.append(name)
    if urlsplit(settings.public_url).scheme == "https":
        yield Finding("https", "ok", f"{settings.public_url} answers over https, with a certificate that is trusted.")
    for name in exposed:
        fix = "Serve static/ alone, and replace every secret that was in it: they are known."
        yield Finding("exposed", "error", f"Anybody can read {settings.public_url}/{name}.", fix)
    if not exposed:
        yield Finding("exposed", "ok", "No secret file is served.")


def _why(error: requests.RequestException) -> str:
    """Why, without the error's own text, which has the URL and more in it."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message})"
        link = link.__cause__ or link.__context__
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed"
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"


# --- secrets ---


def _files(directory: Path, env_file: Path, app: Flask | None) -> Iterator[Finding]:
    static = Path(app.static_folder) if app and app.static_folder else directory / "static"
    yield from _env_file(env_file)
    served = sorted(static.rglob(".env*")) if static.is_dir() else []
    for path in served:
        what, fix = f"{_relative(path, directory)} is served to everybody.", "Take it out of the static folder."
        yield Finding("exposed", "error", what, fix)
    secrets = _secrets(env_file, app)
    folders = {static, directory / "templates", directory}
    leaks = [
        Finding(
            "leak",
            "error",
            f"{_relative(path, directory)} has the value of {key} in it.",
            "Take it out, and make a new one: it is in whatever has a copy of the file.",
        )
        for path in sorted({path for folder in folders for path in _sources(folder, deep=folder != directory)})
        for value, key in secrets.items()
        if value in _content(path)
    ]
    yield from leaks or [Finding("leak", "ok", "No source, template or static file has a secret in it.")]


def _secrets(env_file: Path, app: Flask | None) -> dict[bytes, str]:
    """Return the name of each secret of the environment, `env_file` and the app's own configuration, by its value."""
    config: Mapping[str, Any] = app.config if app else {}
    sources: tuple[Mapping[str, Any], ...] = (os.environ, read_env_file(env_file), config)
    found = [(source.get(key), key) for source in sources for key in (PREFIX + "API_KEY", "SECRET_KEY")]
    fallbacks = config.get(FALLBACKS)
    found += [(value, FALLBACKS) for value in (fallbacks if isinstance(fallbacks, list | tuple) else ())]
    texts = [(value.encode() if isinstance(value, str) else value, key) for value, key in found]
    return {value: key for value, key in texts if isinstance(value, bytes) and len(value) >= 8}


def _env_file(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("env_file", "ok", "There is no .env; the environment has the settings.")
        return
    findings = []
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        findings.append(Finding("env_mode", "error", ".env can be read by other users.", "chmod 600 .env"))
    if git(path, "ls-files", "--error-unmatch") == 0:
        fix = "git rm --cached .env, ignore it, and replace every secret in it."
        findings.append(Finding("env_tracked", "error", ".env is tracked by git.", fix))
    elif _in_history(path):
        fix = "Replace every secret that was in it: the history keeps them."
        findings.append(Finding("env_history", "error", ".env is in git's history.", fix))
    elif git(path, "check-ignore", "--quiet") == 1:
        what = ".env is not ignored by git: `git add .` would take it."
        findings.append(Finding("env_ignored", "error", what, "Add a line to .gitignore: .env"))
    yield from findings or [Finding("env_file", "ok", ".env is for its owner alone, and git leaves it out.")]


def _in_history(path: Path) -> bool:
    try:
        log = ["git", "-C", str(path.parent), "log", "--all", "--format=%h", "--max-count=1", "--", path.name]
        return bool(subprocess.run(log, capture_output=True, check=False).stdout)
    except OSError:
        return False


def _sources(folder: Path, *, deep: bool) -> Iterator[Path]:
    if folder.is_dir():
        for path in folder.rglob("*") if deep else folder.glob("*"):
            if path.is_file() and path.suffix in SOURCES and path.stat().st_size < 4 * 1024 * 1024:  # a person's files
                yield path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # what this user can't read, the app can't serve
        return b""


def _relative(path: Path, directory: Path) -> Path:
    return path.relative_to(directory) if path.is_relative_to(directory) else path


# --- versions ---


def _versions() -> Iterator[Finding]:
    """Check that the installed packages are those that this one demands."""
    from packaging.requirements import Requirement

    wrong = []
    for text in metadata.requires("onechat-miniapp") or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version: Any = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            has = f"is {version}" if version else "is not installed"
            what = f"{requirement.name} {has}; {requirement.specifier or 'any version'} is needed."
            wrong.append(Finding("version", "error", what, "pip install --upgrade onechat-miniapp"))
    yield from wrong or [Finding("version", "ok", "All packages have versions that fit.")]
