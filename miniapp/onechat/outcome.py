"""What OneChat's answer to a call means: a success, or which error. The body counts before the HTTP status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from .. import contract
from ..errors import HostBusy, HostError, HostNonsense, HostRefused, HostUnreachable
from . import transport

RETRY_AFTER_MAX = 3600.0
"""Seconds: one of the two clocks may be wrong, and a longer wait would look like a crash."""
DESCRIPTION_MAX = 200
"""Characters of the host's own words that we pass on: a sentence or two."""


def judge(call: str, answer: transport.Answer, secrets: Iterable[str] = ()) -> Mapping[str, Any] | HostError:
    """Return what the host's answer to `call` means: the documented object if it is a success, else the error to raise.

    The body counts before the HTTP status, which OneChat doesn't document. The first row that fits:

    | HTTP status | body | outcome | may be done |
    |---|---|---|---|
    | 3xx | any | `HostNonsense`; redirects are never followed | yes |
    | 429 | no `Success` | `HostBusy` | no |
    | 5xx | any | `HostUnreachable`: it may have stopped halfway | yes |
    | any other | `Error` | `HostRefused` | no |
    | 2xx | `Success` | success | |
    | 401, 403 | no `Success` | `HostRefused` | no |
    | any | any | `HostNonsense` | yes |

    A body that is not one JSON object in UTF-8, each name in it once, counts as none. `secrets` are taken out of the
    host's words.
    """
    status = answer.status
    document = parse(answer.body) or {}
    says = document.get("status")
    description = _clean(document.get("description"), secrets)
    if 300 <= status < 400:
        return nonsense(call, answer.fault, status)
    if status == 429 and says != contract.SUCCESS:
        return HostBusy(
            description or "too many calls", call=call, status=status, retry_after=seconds(answer.retry_after)
        )
    if status >= 500:
        return HostUnreachable(
            f"OneChat is out of order: HTTP {status} for {call}{description and f' ({description})'}.",
            call=call,
            maybe_done=True,
            hint="It may have been done all the same.",
        )
    if says == contract.ERROR:
        unauthorized = status in (401, 403) or description.lower().startswith("unauthorized")
        hint = _hint(call) if unauthorized else ""
        return HostRefused(description or "no reason given", call=call, status=status, hint=hint)
    if says == contract.SUCCESS and 200 <= status < 300:
        return document
    if status in (401, 403) and says != contract.SUCCESS:
        return HostRefused(HTTPStatus(status).phrase, call=call, status=status, hint=_hint(call))
    fault = answer.fault or (
        "it has no status that is documented" if document else "it is not one JSON object with each name once"
    )
    return nonsense(call, fault, status)


def _hint(call: str) -> str:
    """Return what a developer should look at when the host did not let `call` in."""
    if call == "registerMiniApp":
        return "Check the admin's JID, and that the session ID is theirs and has not ended."
    return "Check ONECHAT_APP_ID and ONECHAT_API_KEY, and that the app is approved."


def parse(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that `body` is, or None. Bad UTF-8, a name that occurs twice, NaN, deep nesting: none."""
    try:
        document = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # two readers of the same bytes would disagree on what they say
        raise ValueError("a name occurs twice")
    return found


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def seconds(retry_after: str | None) -> float | None:
    """Return what a `Retry-After` header asks for (RFC 9110, 10.2.3), in seconds from now, or None if it is none."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait = float(text)
    else:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wait = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), RETRY_AFTER_MAX)


def nonsense(call: str, fault: str, status: int | None = None) -> HostNonsense:
    """Return the error for an answer that the documentation does not describe; `fault` says why."""
    came = f" (HTTP {status})" if status else ""
    return HostNonsense(
        f"OneChat's answer to {call}{came} is not what its documentation describes: {fault}.",
        call=call,
        maybe_done=True,
        hint="Check ONECHAT_API_URL.",
    )


def _clean(description: Any, secrets: Iterable[str]) -> str:
    if not isinstance(description, str) or description == contract.DESCRIPTION_OK:
        return ""
    for secret in filter(None, secrets):
        description = description.replace(secret, "…")
    return "".join(c if c.isprintable() else " " for c in description[:DESCRIPTION_MAX]).strip()
