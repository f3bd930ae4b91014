"""Threat 11, at the sandbox: a foreign page includes its data as a script, an image or a style."""

from __future__ import annotations

import pytest

from support.people import ALICE
from support.sandbox import Caller

DATA = [
    "/phones/state",
    "/phones/events",
    f"/phones/{ALICE}/threads",
    f"/phones/{ALICE}/contacts",
    f"/phones/{ALICE}/groups",
    f"/phones/{ALICE}/messages",
    "/_sandbox/state",
    "/_sandbox/sent",
]
PAGES = ["/", "/portal/", "/portal/users", "/portal/sessions", "/portal/sent", "/portal/options"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(("mode", "destination"), [("no-cors", "script"), ("no-cors", "image"), ("cors", "empty")])
def test_nothing_is_included_from_elsewhere(call: Caller, site: str, mode: str, destination: str) -> None:
    """A page of another origin gets 403, even with the token; a mini app's page is on the same site, and elsewhere."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}
    for path in [*DATA, *PAGES, "/static/portal.js"]:
        assert call("GET", path, headers=headers).status_code == 403, path


def test_links_lead_to_pages_not_to_data(call: Caller) -> None:
    """A link from the documentation, say, may open the portal, but nothing that is no page."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path in DATA:
        assert call("GET", path, headers=headers).status_code == 403, path
    for path in PAGES[1:]:  # the first depends on whether the phones are built
        assert call("GET", path, headers=headers).status_code == 200, path


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_no_answer_is_shared(call: Caller, origin: str | None) -> None:
    """Every answer forbids other origins and guessing of types; none has a CORS header."""
    for path in [*DATA, *PAGES, "/static/portal.js", "/nowhere"]:
        with call("GET", path, headers={"Origin": origin} if origin else {}) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_a_preflight_is_not_granted(call: Caller) -> None:
    """A browser that asks on behalf of a foreign page is told nothing that would let it."""
    headers = {
        "Origin": "http://alice.onechat.localhost:5000",
        "Sec-Fetch-Site": "same-site",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-sandbox-token",
    }
    answer = call("OPTIONS", f"/phones/{ALICE}/relay", headers=headers)
    assert answer.status_code == 403
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
