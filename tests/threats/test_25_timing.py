"""Threat 25: how long a comparison takes tells how much of a secret was right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import miniapp
from support.people import BOB, ORIGIN
from support.sandbox import Caller, Registered

PACKAGE = Path(miniapp.__file__).parent
SECRET = re.compile(
    r"(^|_)(api_?key|apikey|session_?id|token|secret|(hex)?digest|password|bearer|signature|hmac)$", re.IGNORECASE
)
SOURCES = sorted(PACKAGE.rglob("*.py"))


def names(node: ast.expr) -> Iterator[str]:
    """The names that a side of a comparison goes by: `a.api_key`, `body["apiKey"]`, `headers.get("apikey")`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name
        case ast.Call(func=ast.Attribute(value=value, attr="encode" | "strip" | "lower")):
            yield from names(value)
        case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield name


def compared(source: str) -> list[int]:
    """The lines of `source` where a secret is compared by `==`, `!=` or `in`; with a constant it may be."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and not any(
                    isinstance(side, ast.Constant | ast.Tuple | ast.Set) for side in (left, right)
                ):
                    hit = [name for side in (left, right) for name in names(side) if SECRET.search(name)]
                    found += [node.lineno] if hit else []
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_secret_is_compared_by_equality(path: Path) -> None:
    """All of the package uses `hmac.compare_digest` for secrets."""
    lines = compared(path.read_text("utf-8"))
    assert lines == [], f"{path.name}: compare with hmac.compare_digest on bytes in line {lines}"


@pytest.mark.parametrize(
    "source",
    ["given == app.api_key", "body['apiKey'] != key", "token in tokens", "row.digest == other", "x == sha.digest()"],
)
def test_the_check_finds_what_it_looks_for(source: str) -> None:
    """Each of these would be reported."""
    assert compared(source) == [1]


@pytest.mark.parametrize("key", ["ключ-ключ-ключ", "\u00e9" * 20, "a\u0301" * 10, "🔑🔑🔑🔑🔑🔑🔑🔑"])
def test_keys_beyond_ascii_are_401(call: Caller, lunch: Registered, key: str) -> None:
    """`compare_digest` takes such text as bytes alone: in header, body and token it is a wrong secret."""
    latin = key.encode().decode("latin-1")
    assert call.api("singleMessage", {"jid": BOB, "message": "x"}, latin)[0] == 401
    body = {"jid": BOB, "sessionId": key, "appId": lunch.app_id, "apiKey": key}
    assert call.api("authenticateUser", body)[0] == 401
    answer = call.client.get("/_sandbox/state", base_url=ORIGIN, headers={"X-Sandbox-Token": latin})
    assert answer.status_code == 401
