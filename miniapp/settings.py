"""The settings of one app: read once, checked together, frozen."""

from __future__ import annotations

import difflib
import io
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from . import contract, jid
from .errors import ConfigurationError, JIDError, Problem
from .hosts import is_loopback

PREFIX = "ONECHAT_"
CONCURRENCY_MAX = 64
"""Messages on their way at a time: a thread each, and as many connections as `transport` keeps."""


class Secret(str):
    """Hold a secret as a string whose `repr` hides it, to keep it out of logs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')"


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Hold the settings of one app, frozen. The field `x` is the setting `ONECHAT_X`, lists as tuples.

    Read it as `miniapp.settings`. `Settings(app_id="…", api_key=Secret("…"))` makes one for a `OneChat` outside of an
    app; values are not checked then, as `read` does.
    """

    api_url: str = _setting(contract.API_URL, "Base URL of OneChat's REST API.")
    authenticate_path: str = _setting(
        "authenticateUser",
        "Path of `authenticateUser` below the base. OneChat's page prints `registerMiniApp` there.",
    )
    body: Literal["json", "form"] = _setting("json", "How request bodies are encoded: `json` or `form`.")
    domain: str = _setting(
        contract.DOMAIN, "The OneChat domain of your users: what `mass_broadcast` addresses by default."
    )
    app_id: str = _setting("", "The app ID that `miniapp register` got. Required.")
    api_key: Secret = _setting(Secret(""), "The API key that `miniapp register` got. Required, secret.")
    connect_timeout: float = _setting(3.0, "Seconds to wait for a connection to OneChat.")
    read_timeout: float = _setting(10.0, "Seconds to wait for OneChat to say anything.")
    deadline: float = _setting(15.0, "Seconds after which a call to OneChat ends in any case.")
    login_lifetime: int = _setting(
        300,
        "Seconds a login lasts: the longest that a revoked session goes unseen. The shim renews it beforehand.",
    )
    container_origins: tuple[str, ...] = _setting(
        (),
        "Origins that may frame your pages and serve the bridge, separated by commas. Empty: only native containers.",
    )
    cookie: Literal["lax", "partitioned"] = _setting(
        "lax", "`lax`; or `partitioned` for a container on another site: SameSite=None, Secure, Partitioned."
    )
    cookie_name: str = _setting(
        "", "Name of the login cookie. Empty: one made of the app ID, so apps on one host name have one each."
    )
    url_prefix: str = _setting("/miniapp", "Where the framework's own routes are.")
    headers: Literal["framework", "app"] = _setting(
        "framework",
        "`app` puts the security headers (CSP and so on) on every page of the app, not only on the framework's.",
    )
    public_url: str = _setting(
        "", "The mini app's own public https URL: for `register`, `doctor` and the Origin check."
    )
    outbox_url: Secret = _setting(
        Secret(""), "Where bulk sends are kept: `sqlite:///path` or `postgresql://…`. Empty: there are none."
    )
    outbox_rate: float = _setting(50.0, "Messages a second that all workers of the outbox send together; 0: no limit.")
    outbox_concurrency: int = _setting(8, "Messages that one worker of the outbox has on their way at a time.")
    outbox_worker: Literal["thread", "process"] = _setting(
        "thread",
        "`thread`: the app's processes send, if the outbox is in SQLite. `process`: `miniapp worker` alone does.",
    )
    ca_file: str = _setting(
        "", "File of the CA certificates (PEM) that OneChat's certificate is checked by. Empty: those of `certifi`."
    )
    trust_env: bool = _setting(False, "Whether calls to OneChat obey HTTPS_PROXY, NO_PROXY and .netrc.")

    @classmethod
    def read(
        cls,
        config: Mapping[str, Any] | None = None,
        env_file: str | Path | None = None,
        *,
        demand_app: bool = True,
        extra: list[Problem] | None = None,
    ) -> Settings:
        """Return the settings in `config`, then the environment, then the file `env_file`.

        `demand_app=False` lets app ID and API key be absent, as they are before `miniapp register`. `extra` are
        problems that the caller found. Raises `ConfigurationError` with every problem.
        """
        config = config or {}
        from_file, environment = read_env_file(env_file), read_environment(env_file)
        problems = list(extra or [])
        values: dict[str, Any] = {}
        for setting in fields(cls):
            key = PREFIX + setting.name.upper()
            for source in (config, environment):
                if source.get(key) not in (None, ""):
                    try:
                        values[setting.name] = _PARSERS[setting.name](source[key])
                    except ValueError as error:
                        what, _, fix = str(error).partition("|")
                        problems.append(Problem(key, what, fix))
                    break
        known = {PREFIX + setting.name.upper() for setting in fields(cls)} | _OTHER_KEYS
        for key in sorted({*config, *from_file}):
            if key.startswith(PREFIX) and key not in known:
                near = difflib.get_close_matches(key, known, 1)
                problems.append(Problem(key, "is not a setting.", f"Did you mean {near[0]}?" if near else "Remove it."))
        wrong = {problem.key for problem in problems}
        if demand_app:
            for name in ("app_id", "api_key"):
                key = PREFIX + name.upper()
                if name not in values and key not in wrong:
                    problems.append(
                        Problem(
                            key,
                            "is not set.",
                            "`miniapp register` gets one. `miniapp dev` and `miniapp exec -- flask …` need none.",
                        )
                    )
        if not problems:
            settings = cls(**values)
            problems = list(settings._conflicts())
            if not problems:
                return settings
        raise ConfigurationError(problems)

    def _conflicts(self) -> list[Problem]:
        found = []
        if self.deadline < self.connect_timeout:
            found.append(
                Problem("ONECHAT_DEADLINE", "is shorter than ONECHAT_CONNECT_TIMEOUT.", "Make it the longer one.")
            )
        return found


_OTHER_KEYS = {"ONECHAT_SESSION_ID", "ONECHAT_ADMIN_JID"}
"""What `miniapp register` reads beside the settings."""


def read_env_file(path: str | Path | None) -> dict[str, str]:
    """Read what the file at `path` (a `.env`) sets, nothing if there is none. The environment itself is left alone.

    Raises `ConfigurationError` if there is a file and it can't be read.
    """
    try:
        if path is None or not Path(path).is_file():
            return {}
        text = Path(path).read_text("utf-8-sig")  # Windows editors put a byte order mark first
    except OSError as error:
        fix = f"Make it readable for this user: ls -l {path} shows whose it is."
        raise ConfigurationError([Problem(str(path), f"can't be read ({error.strerror}).", fix)]) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 of ASCII letters is UTF-8 too, with a NUL after each
        raise ConfigurationError([Problem(str(path), "is not UTF-8 text.", "Save it as UTF-8.")])
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {key: value for key, value in values.items() if value is not None}


def read_environment(path: str | Path | None) -> dict[str, str]:
    """Return what the file at `path` (a `.env`) sets, and over it the environment, as far as that is not empty.

    The commands of `flask` put the file into the environment themselves and expand each `${…}` on the way. A key may
    have such characters, so what came from there is taken as it is written. Raises `ConfigurationError`.
    """
    from_file = read_env_file(path)
    expanded = dotenv_values(path) if any("${" in value for value in from_file.values()) else from_file
    own = {key: value for key, value in os.environ.items() if value and value != expanded.get(key)}
    return {**from_file, **own}


# --- one parser per setting: value → value, or ValueError("what|fix"); never repeats the value ---


def _text(value: Any) -> str:
    if not isinstance(value, str):
        # from_prefixed_env() turns the key 1e5 into 100000.0
        raise ValueError(
            f"is {type(value).__name__}, not text.|Set a string; Flask's from_prefixed_env() parses values as JSON."
        )
    return value.strip()


def _key(value: Any) -> str:
    text = _text(value) if not isinstance(value, str) else value
    if not contract.KEY.match(text):
        raise ValueError(
            "is not 8 to 256 visible ASCII characters.|Copy it again from the admin portal, with no blank or line end."
        )
    return text


def _number(low: float, high: float, unit: str = "") -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError(f"is not a number{unit} from {low:g} to {high:g}.|Set one.")
        return number

    return parse


def _seconds(low: float, high: float) -> Callable[[Any], float]:
    return _number(low, high, " of seconds")


def _one_of(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError(f"is none of {', '.join(words)}.|Set one of them.")
        return str(value)

    return parse


def _boolean(value: Any) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("is neither true nor false.|Set 1 or 0.") from None


# A host goes into the Content-Security-Policy as it stands: no `*`, no `;`.
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_NOT_URL = re.compile(r"[\s\\\x00-\x1f]")


def _url(value: Any) -> str:
    text = _text(value)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL.|Write it as https://host/path.") from None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or "") or _NOT_URL.search(text):
        raise ValueError("is not a URL.|Write it as https://host/path.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("has a user name, query or fragment.|Leave only scheme, host and path.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is http: keys and session IDs would cross the network in the clear.|Use https.")
    return text.rstrip("/")


def _origin(text: str) -> str:
    url = _url(text)
    parts = urlsplit(url)
    if parts.path:
        raise ValueError("has an entry with a path.|An origin is scheme, host and port: https://app.onechat.net")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _origins(value: Any) -> tuple[str, ...]:
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list | tuple | set | frozenset):
        raise ValueError("is not a list of origins.|Write them with commas: https://app.onechat.net")
    return tuple(dict.fromkeys(_origin(entry) for entry in entries if not isinstance(entry, str) or entry.strip()))


def _path(value: Any) -> str:
    text = _text(value).strip("/")
    if not re.fullmatch(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*", text) or ".." in text:
        raise ValueError("is not a path.|Write letters, digits and - _ . between single slashes.")
    return text


def _ca_file(value: Any) -> str:
    text = _text(value)
    try:
        path = str(Path(text).expanduser())
        ssl.create_default_context(cafile=path)
    except (OSError, RuntimeError, ValueError):  # ssl.SSLError is an OSError; `~name` without such a user; NUL
        raise ValueError("names no readable file of certificates.|Name a PEM file with the CA's certificate.") from None
    return path


def _domain(value: Any) -> str:
    try:
        return jid.domain(_text(value))
    except JIDError:
        raise ValueError("is not a domain.|Write it as onechat.net.") from None


def _database(value: Any) -> Secret:
    text = _text(value)
    if not re.match(r"(sqlite:///|postgresql://)[^\s]", text):
        raise ValueError(
            "is no URL of SQLite or Postgres.|Write sqlite:///path or postgresql://user:password@host/name."
        )
    return Secret(text)


def _cookie_name(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError("is not a cookie's name.|Use letters, digits, - and _.")
    if text.lower().startswith(("__host-", "__secure-")):
        raise ValueError("has a prefix.|Leave it out: `__Host-` is added wherever the cookie is Secure.")
    return text


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "api_url": _url,
    "authenticate_path": _path,
    "body": _one_of("json", "form"),
    "domain": _domain,
    "app_id": _key,
    "api_key": lambda value: Secret(_key(value)),
    "connect_timeout": _seconds(0.05, 60),
    "read_timeout": _seconds(0.05, 120),
    "deadline": _seconds(0.1, 300),
    "login_lifetime": lambda value: int(_seconds(1, 86400)(value)),
    "container_origins": _origins,
    "cookie": _one_of("lax", "partitioned"),
    "cookie_name": _cookie_name,
    "url_prefix": lambda value: "/" + _path(value),
    "headers": _one_of("framework", "app"),
    "public_url": _url,
    "outbox_url": _database,
    "outbox_rate": _number(0, 100_000),
    "outbox_concurrency": lambda value: int(_number(1, CONCURRENCY_MAX)(value)),
    "outbox_worker": _one_of("thread", "process"),
    "ca_file": _ca_file,
    "trust_env": _boolean,
}
