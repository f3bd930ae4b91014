"""The host page, the admin portal's pages, and what guards them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from miniapp.sandbox.web import host_page as pages
from support.people import ALICE, BOB, ORIGIN
from support.sandbox import Caller, Registered

PORTAL = ["/portal/", "/portal/users", "/portal/sessions", "/portal/sent", "/portal/options"]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of the host page."""
    (tmp_path / "host.js").touch()
    monkeypatch.setattr(pages, "_BUILD", tmp_path)
    return tmp_path


def test_the_host_page_loads_the_phones(call: Caller, built: Path) -> None:
    """One element, one module, and what the script must know, with no script in the page itself."""
    text = call("GET", "/?phones=alice,bob").text
    assert "<oc-host></oc-host>" in text
    assert '<script type="module" src="/static/build/host.js"></script>' in text
    assert f'<meta name="sandbox-token" content="{call.token}">' in text
    assert '<meta name="sandbox-domain" content="onechat.localhost">' in text
    assert "host.css" not in text
    (built / "host.css").touch()
    assert "/static/build/host.css" in call("GET", "/").text


def test_without_a_build_the_page_says_what_to_run(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh clone has no build: the page names the script that makes it."""
    monkeypatch.setattr(pages, "_BUILD", tmp_path / "none")
    answer = call("GET", "/")
    assert answer.status_code == 503
    assert "scripts/build-js" in answer.text


@pytest.mark.parametrize("name", ["localhost:8700", "127.0.0.1:8700", "[::1]:8700", "localhost"])
@pytest.mark.parametrize("path", ["/?phones=alice", "/portal/users"])
def test_pages_are_opened_at_one_name(call: Caller, built: Path, name: str, path: str) -> None:
    """From any other name the mini apps' frames would be on another site, and have no cookies."""
    answer = call.client.get(path, headers={"Host": name})
    port = ":8700" if name.endswith(":8700") else ""
    assert (answer.status_code, answer.location) == (302, f"{ORIGIN}{port}{path}")


@pytest.mark.parametrize("path", ["/", *PORTAL])
def test_pages_have_a_strict_policy(call: Caller, built: Path, path: str) -> None:
    """No inline script or style, no frame around it, kept by no cache."""
    answer = call("GET", path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    for forbidden in ("<script>", "<style", " style=", " onclick=", "javascript:"):
        assert forbidden not in answer.text


def test_the_portal_shows_what_there_is(call: Caller, lunch: Registered, session: Callable[..., str]) -> None:
    """Apps, users, sessions and sends, and no secret among them."""
    session_id = session(ALICE, lunch.app_id)
    call.api("singleMessage", {"jid": BOB, "message": "<b>soup</b>"}, lunch.api_key)
    texts = {path: call("GET", path).text for path in PORTAL}
    assert lunch.app_id in texts["/portal/"]
    assert "Bob Rahman" in texts["/portal/users"]
    assert "Alice Tan" in texts["/portal/sessions"]
    assert "&lt;b&gt;soup&lt;/b&gt;" in texts["/portal/sent"]
    for text in texts.values():
        assert lunch.api_key not in text
        assert session_id not in text


def test_sends_are_filtered_by_call(call: Caller, lunch: Registered) -> None:
    """Only the chosen call's; an unknown one shows none."""
    call.api("singleMessage", {"jid": BOB, "message": "soup"}, lunch.api_key)
    assert "soup" in call("GET", "/portal/sent?call=singleMessage").text
    assert "soup" not in call("GET", "/portal/sent?call=groupMessage").text
    assert "soup" not in call("GET", "/portal/sent?call=<script>").text


def test_static_files_and_icon(call: Caller) -> None:
    """The portal's script and styles are there, and something answers for the favicon."""
    for name in ("portal.js", "portal.css", "host-page.css", "icon.svg"):
        with call("GET", f"/static/{name}") as answer:
            assert answer.status_code == 200
    assert call("GET", "/favicon.ico").location == "/static/icon.svg"
