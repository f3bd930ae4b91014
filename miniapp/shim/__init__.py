"""The shim: `oc.js` and `oc.d.ts`, made from the contract and the settings (docs/bridge.md).

It is the same for every user and holds no secret: all that the templates are given is in `_render`'s parameters.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, Request, Response, has_request_context
from flask import request as current_request
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from .. import contract
from ..settings import Settings
from ..texts import TEXTS
from .minify import minify

HANDSHAKE_SECONDS = 5  # the host page answers at once or is not there
CALL_SECONDS = 300  # a person reads, searches and chooses; after that, the sheet was left lying
SERVER_SECONDS = 30  # our own server: ONECHAT_DEADLINE, 15 s by default, and the way there and back on a bad line
GUARD_SECONDS = 10  # two 401 pages within it are one failed login: a reload takes a second or two on a phone
LATE_SECONDS = 2  # after its load a page has its container, even where that puts its object in by a slow way of its own
LATE_MOST_SECONDS = 10  # a page whose load does not end, for a picture that hangs, is not to hang with it
RETRIES = 5  # after 1, 2, 4, 8 and 16 s: half a minute, then the person decides

CODES: dict[str, str] = {
    "not_in_host": TEXTS["not_in_host"],
    "bad_argument": " is missing or malformed.",  # the argument's name goes before it
    "cancelled": "Cancelled.",
    "timeout": TEXTS["timeout"],
    "refused": "OneChat refused.",
    "unreachable": TEXTS["unreachable"],
    "signed_out": TEXTS["signed_out"],
}
"""Every code a bridge call may fail with: message and hint where neither host nor server gave its own."""

_LAUNCH_FIELDS = {"user.getSessionID": "sessionId", "user.deviceInfo": "device", "user.getVCard": "vCard"}
_NUMBER, _LIST, _STRING, _OPTIONAL_STRING, _NOTHING = range(5)
_VALUES = {"void": _NOTHING, "string[]": _LIST, "string": _STRING}
_KINDS = {"number": _NUMBER, "string | readonly string[]": _LIST, "string": _STRING}


@dataclass(frozen=True)
class Shim:
    """What is served of the shim; made by `render`."""

    source: str
    typings: str
    hash: str
    """The start of the source's SHA-256: the `v` of its URL, and its ETag."""
    integrity: str
    """For the script element: `sha384-…`."""
    url_prefix: str

    @property
    def url(self) -> str:
        """Path and query of `oc.js`; a request's `script_root` goes before it."""
        return f"{self.url_prefix}/oc.js?v={self.hash}"


def render(settings: Settings) -> Shim:
    """Return the shim for an app with these settings. Equal settings get the very same one."""
    return _render(settings.url_prefix, settings.app_id, settings.container_origins, settings.login_lifetime)


def register(scaffold: Flask | Blueprint, shim: Shim, prefix: str | None = None) -> None:
    """Add the routes `{prefix}/oc.js` and `{prefix}/oc.d.ts`; `prefix` is the settings' own unless given."""
    prefix = shim.url_prefix if prefix is None else prefix
    scaffold.add_url_rule(f"{prefix}/oc.js", "oc_js", lambda: response(shim, current_request))
    scaffold.add_url_rule(f"{prefix}/oc.d.ts", "oc_d_ts", lambda: typings_response(shim, current_request))


def response(shim: Shim, request: Request) -> Response:
    """Return the answer to a request for `oc.js`: cached for good by its own hash, revalidated at any other URL."""
    answer = Response(shim.source, content_type="text/javascript; charset=utf-8")
    return _cached(answer, shim.hash, request, immutable=request.args.get("v") == shim.hash)


def typings_response(shim: Shim, request: Request) -> Response:
    """Return the answer to a request for `oc.d.ts`."""
    answer = Response(shim.typings, content_type="text/plain; charset=utf-8")
    return _cached(answer, _sha256(shim.typings), request, immutable=False)


def script_tag(shim: Shim, nonce: str | None = None, attributes: Mapping[str, str] | None = None) -> Markup:
    """Return the script element: `attributes` are what the shim must know of this one page (docs/routes.md).

    An attribute with the value "" is written without one. It must stand before the page's own scripts.
    """
    root = current_request.script_root if has_request_context() else ""
    pairs = {"src": root + shim.url, "integrity": shim.integrity, **({"nonce": nonce} if nonce else {})}
    pairs.update(attributes or {})
    parts = [
        Markup(' {}="{}"').format(name, value) if value else Markup(" {}").format(name) for name, value in pairs.items()
    ]
    return Markup("<script{}></script>").format(Markup("").join(parts))


def _cached(answer: Response, etag: str, request: Request, *, immutable: bool) -> Response:
    # a year is how long caches may keep anything (RFC 9111 has no limit, browsers and proxies do)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "no-cache"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.set_etag(etag)
    answer.make_conditional(request)
    return answer


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]  # 64 bits: told apart, not authenticated


def _template(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


# A process has one app, or a few; tests have many.
@lru_cache(maxsize=64)
def _render(url_prefix: str, app_id: str, container_origins: tuple[str, ...], login_lifetime: int) -> Shim:
    source = _source(app_id, container_origins, login_lifetime)
    digest = base64.b64encode(hashlib.sha384(source.encode()).digest()).decode()
    return Shim(
        source=source,
        typings=_typings(),
        hash=_sha256(source),
        integrity=f"sha384-{digest}",
        url_prefix=url_prefix,
    )


def _source(app_id: str, container_origins: tuple[str, ...], login_lifetime: int, *, small: bool = True) -> str:
    return _script(small).render(
        app_id=app_id,
        container_origins=container_origins,
        login_lifetime=login_lifetime,
        functions={name: _function(function) for name, function in contract.BRIDGE.items()},
        texts={code: text for code, text in CODES.items() if code not in ("bad_argument", "cancelled")}
        | {"again": TEXTS["again"]},
        bad_argument=CODES["bad_argument"],
        kinds={"optional_number": _NUMBER, "list": _LIST, "string": _STRING, "optional_string": _OPTIONAL_STRING},
        handshake_seconds=HANDSHAKE_SECONDS,
        call_seconds=CALL_SECONDS,
        server_seconds=SERVER_SECONDS,
        guard_ms=GUARD_SECONDS * 1000,
        retries=RETRIES,
        late_ms=LATE_SECONDS * 1000,
        late_most_ms=LATE_MOST_SECONDS * 1000,
    )


@lru_cache(maxsize=2)
def _script(small: bool) -> Template:
    text = _template("oc.js.j2")
    return _environment().from_string(minify(text) if small else text)


def _function(function: contract.BridgeFunction) -> str | list[Any]:
    """Return a function as the script's table has it: see `table` in `oc.js.j2`."""
    if not function.params:
        return _LAUNCH_FIELDS[function.name]
    params = {p.name: _KINDS[p.ts] for p in function.params if p.ts in _KINDS}
    params.update({p.name: _OPTIONAL_STRING for p in function.params if p.optional and p.ts == "string"})
    return [params, _VALUES[function.promise_ts]]


def _environment(*, escape: bool = True) -> Environment:
    # Every value of the script goes through tojson. One that doesn't is escaped as HTML, and seen to be wrong.
    environment = Environment(
        autoescape=escape,  # noqa: S701 - TypeScript is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


@lru_cache(maxsize=1)
def _typings() -> str:
    tree: dict[str, Any] = {}
    for function in contract.BRIDGE.values():
        at = tree
        for step in function.path[:-1]:
            at = at.setdefault(step, {})
        at[function.path[-1]] = function
    template = _environment(escape=False).from_string(_template("oc.d.ts.j2"))
    return template.render(tree=tree, codes=list(CODES))
