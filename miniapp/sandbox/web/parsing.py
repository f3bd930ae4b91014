"""Bodies of requests, read strictly: what can be understood in two ways is refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ... import contract
from ..store.records import Refusal

MAX_FIELDS = 1000  # Werkzeug's own limit for multipart; the longest documented call has five


class BadBody(Refusal):
    """A body that can't be read."""


def json_body() -> dict[str, Any]:
    """Return the JSON object that the current request carries; an absent body is an empty one. Raises `BadBody`.

    Any other content type is answered 415: a page elsewhere can send forms, but no JSON, without asking.
    """
    if request.mimetype != "application/json":
        if not request.mimetype and not _raw():
            return {}
        raise UnsupportedMediaType("The body is not JSON. Send it with Content-Type: application/json.")
    return _parse_json(_raw())


def any_body() -> dict[str, Any]:
    """Return the fields that the current request carries as JSON, urlencoded or multipart. Raises `BadBody`."""
    match request.mimetype:
        case "application/json":
            return _parse_json(_raw())
        case "application/x-www-form-urlencoded":
            return _parse_form(_raw())
        case "multipart/form-data":
            _check_size(request.content_length or 0)
            return _once([(name, value) for name, values in request.form.lists() for value in values])
    raise BadBody(
        "The body is neither JSON nor a form.",
        hint="Send it with Content-Type application/json, application/x-www-form-urlencoded or multipart/form-data.",
    )


def _raw() -> bytes:
    _check_size(request.content_length or 0)
    raw = request.get_data()
    _check_size(len(raw))
    return raw


def _check_size(size: int) -> None:
    if size > contract.BODY_MAX_BYTES:
        raise RequestEntityTooLarge(f"The body is longer than {contract.BODY_MAX_BYTES} bytes.")


def _parse_json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        if b"\\u" in raw:  # an escape can write half of a surrogate pair, which no encoding can
            json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadBody("A text in the body has half of a surrogate pair, which is no character.") from None
    except RecursionError:
        raise BadBody("The body is not JSON that can be read: it is nested too deeply.") from None
    except UnicodeDecodeError:
        raise BadBody("The body is not UTF-8.") from None
    except ValueError:
        raise BadBody("The body is not JSON.", hint='It looks like {"jid": "…", "message": "…"}.') from None
    if not isinstance(body, dict):
        raise BadBody("The body is JSON, but not an object.", hint='It looks like {"jid": "…", "message": "…"}.')
    return body


def _parse_form(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadBody(f"The form is not UTF-8, or has more than {MAX_FIELDS} fields.") from None
    return _once(pairs)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadBody("A field is there more than once.")
    return fields


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
