"""The plugin's files: served by the sandbox to any page, copied into a site by the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask, send_from_directory
from playwright.sync_api import Browser, expect

from examples.chat.serve import create_app
from miniapp.sandbox import SandboxConfig, create_sandbox, sandbox_of
from support.paths import ROOT
from support.servers import serving
from support.xmpp.host import Host
from support.xmpp.ocwp_site import BUILD

BASE = "http://onechat.localhost"
FOREIGN = {"Origin": "https://site.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
DOCUMENTED = """
ocwp.init({
  confPath: './config/',
  locale: {
    path: './locale/',
    default: 'enGB', // loading enGB.json as default
  },
  containerElement: document.getElementById('onechatContainer'),
  chatbox: {
    marginLeft: 5, // margins between chat box
    marginRight: 5, // margins between chat box
    maxHeight: 600,
    maxWidth: 600,
    minHeight: 100, // default height when open
    minWidth: 250, // default width when open
    paddingTop: 80,
    outerPaddingLeft: '350px', // padding on the left
    outerPaddingRight: 0, // padding on right
  },
  // LOGIN ON INIT
  login: {
    usr: 'jid',
    pw: 'password',
  },
});
"""


@pytest.fixture
def client() -> Iterator[object]:
    app = create_sandbox(SandboxConfig(xmpp="off"))
    yield app.test_client()
    sandbox_of(app).close()


@pytest.mark.parametrize("name", ["ocwp.js", "ocwp.mjs", "ocwp.d.ts", "locale/enGB.json", "locale/arSA.json"])
def test_pages_of_other_origins_load_the_files(client: object, name: str) -> None:
    """The files answer pages of any origin, and say so."""
    answer = client.get(f"/ocwp/{name}", base_url=BASE, headers=FOREIGN)  # type: ignore[attr-defined]
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer.close()


def test_without_xmpp_the_configuration_says_so(client: object) -> None:
    """Where the sandbox has no XMPP server there is no configuration, but the reason."""
    answer = client.get("/ocwp/config/config.json", base_url=BASE, headers=FOREIGN)  # type: ignore[attr-defined]
    assert answer.status_code == 409
    assert "XMPP" in answer.json["error"]["message"]


def test_nothing_else_answers_other_origins(client: object) -> None:
    """The door for the plugin's files is for reading, and for nothing beside them."""
    get, post = client.get, client.post  # type: ignore[attr-defined]
    assert get("/phones/state", base_url=BASE, headers=FOREIGN).status_code == 403
    assert get("/ocwp/../phones/state", base_url=BASE, headers=FOREIGN).status_code in (403, 404)
    assert post("/ocwp/ocwp.js", base_url=BASE, headers=FOREIGN).status_code == 403


def test_the_command_copies_it_into_a_site(run: Callable[..., Result]) -> None:
    """`miniapp ocwp DIR` copies everything; done again, it leaves the site's own configuration alone."""
    result = run("ocwp", "site")
    assert result.exit_code == 0, result.output
    site = Path("site")
    files = sorted(str(path.relative_to(site)) for path in site.rglob("*") if path.is_file())
    assert files == sorted(str(path.relative_to(BUILD)) for path in BUILD.rglob("*") if path.is_file())
    (site / "config/config.json").write_text('{"domain": "mine"}')
    (site / "ocwp.js").write_text("old")
    assert "stays as it is" in run("ocwp", "site").output
    assert json.loads((site / "config/config.json").read_text()) == {"domain": "mine"}
    assert (site / "ocwp.js").read_bytes() == (BUILD / "ocwp.js").read_bytes()


@pytest.fixture
def shop(host: Host) -> Iterator[str]:
    """The example's site over a sandbox with Prosody."""
    with serving(lambda _: create_app(host.controls, host.sandbox.domain)) as (_, port):
        yield f"http://127.0.0.1:{port}"


def test_the_example_chats_with_phones(
    browser: Browser, host: Host, shop: str, eventually: Callable[..., None]
) -> None:
    """On the example's page one logs in with a credential of its backend, and writes with the sandbox's phones."""
    page = browser.new_page()
    page.goto(shop)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#status")).to_have_text("XMPP_CONNECTION_CONNECTED_READY")
    bob, alice = (f"{name}@{host.sandbox.domain}" for name in ("bob", "alice"))
    page.get_by_role("searchbox").fill("bob")
    page.locator(f'ocwp-list [data-jid="{bob}"]').click()
    page.locator("ocwp-box").get_by_role("textbox").fill("from the page")
    page.keyboard.press("Enter")
    eventually(lambda: host.shown(bob, alice) == ["from the page"])
    host.type(bob, alice, "from the phone")
    expect(page.locator("ocwp-box .text")).to_have_text(["from the page", "from the phone"])
    host.api("singleMessage", jid=alice, message="from the host")
    expect(page.locator("ocwp-list").get_by_role("button", name="From OneChat")).to_contain_text("from the host")
    page.get_by_role("button", name="Chat with the shop").click()
    expect(page.locator("ocwp-box").get_by_role("heading", name="The corner shop")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#status")).to_have_text("XMPP_CONNECTION_IDLE")
    page.close()


def test_a_sites_own_interface_chats_with_phones(browser: Browser, host: Host, shop: str) -> None:
    """The example without our interface shows what was written before, what comes, and what one writes."""
    bob, alice = (f"{name}@{host.sandbox.domain}" for name in ("bob", "alice"))
    host.type(bob, alice, "before")
    page = browser.new_page()
    page.goto(f"{shop}/own")
    lines = page.get_by_role("listitem")
    expect(lines).to_have_text(["Bob Rahman: before"])
    page.get_by_role("textbox").fill("from the page")
    page.get_by_role("button", name="Send").click()
    expect(lines).to_have_text(["Bob Rahman: before", "from the page"])
    host.type(bob, alice, "from the phone")
    expect(lines).to_have_text(["Bob Rahman: before", "from the page", "Bob Rahman: from the phone"])
    page.close()


def test_the_react_example_mounts_again(browser: Browser, host: Host, tmp_path: Path) -> None:
    """In strict mode, which mounts twice, and after it was left: one chat stands there, connected, and counts."""
    site = tmp_path / "react"
    shutil.copytree(ROOT / "examples/chat/react", site)
    shutil.copytree(BUILD, site / "ocwp")
    bundle = [ROOT / "js/node_modules/.bin/esbuild", "main.jsx", "--bundle", "--jsx=automatic", "--outfile=bundle.js"]
    subprocess.run(bundle, cwd=site, env={**os.environ, "NODE_PATH": str(ROOT / "js/node_modules")}, check=True)
    (site / "index.html").write_text(
        '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script src="bundle.js"></script>'
    )
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def make(_: int) -> Flask:
        app = create_app(host.controls, host.sandbox.domain)
        app.add_url_rule("/react/<path:name>", "react", lambda name: send_from_directory(site, name))
        return app

    with serving(make) as (_, port):
        page.goto(f"http://127.0.0.1:{port}/react/index.html")
        bob, alice = (f"{name}@{host.sandbox.domain}" for name in ("bob", "alice"))
        for time in range(2):
            page.get_by_role("button", name="Chats").click()
            expect(page.locator("ocwp-root")).to_have_count(1)
            host.type(bob, alice, f"message {time}")
            row = page.locator(f'ocwp-list [data-jid="{bob}"]')
            expect(row).to_contain_text(f"message {time}")
            page.get_by_role("button", name="Hide chats").click()
            page.get_by_role("button", name="Leave the chat").click()
            expect(page.locator("ocwp-root")).to_have_count(0)
            page.get_by_role("button", name=f"To the chat ({time + 1} unread)").click()
    assert errors == []
    page.close()


def test_onechats_example_runs_unchanged(browser: Browser, host: Host, shop: str) -> None:
    """OneChat's example of `init`, with a JID and a password in the places it has for them, connects."""
    jid = f"alice@{host.sandbox.domain}"
    password = host.controls.call("POST", f"/_sandbox/users/{jid}/password")["password"]
    code = DOCUMENTED.replace("'jid'", repr(jid)).replace("'password'", repr(password))
    page = browser.new_page()
    sandbox_files = f"{host.server.url}/ocwp/"
    page.goto(f"{shop}/static/site.css")  # a page of another origin than the sandbox's
    page.set_content(f'<base href="{sandbox_files}"><div id="onechatContainer"></div>')
    page.add_script_tag(url=f"{sandbox_files}ocwp.js")
    page.evaluate(f"() => {{ {code} }}")
    page.wait_for_function("() => ocwp.getConnectionStatus() === 'XMPP_CONNECTION_CONNECTED_READY'")
    page.close()
