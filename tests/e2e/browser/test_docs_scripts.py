"""The JavaScript on the pages of the manual does what the pages say, in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask, render_template_string, request
from playwright.sync_api import BrowserContext, expect

from miniapp import MiniApp, current_user, login_required
from miniapp.cli import cli
from support.manual import blocks
from support.phones import Host
from support.servers import serving

HOME = """<!doctype html><head>{{ miniapp_script() }}</head><body><p id=who>{{ current_user.jid }}</p></body>"""


def create_app(settings: dict[str, str]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(settings)
    miniapp = MiniApp(app)

    @app.get("/")
    @login_required
    def home() -> str:
        return render_template_string(HOME)

    @app.post("/api/alerts")
    @login_required
    def alert() -> tuple[str, int]:
        miniapp.client.send_message(current_user.jid, request.json["text"])
        return "", 204

    return app


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    host = open_host(create_app)
    host.open_app(0)
    expect(host.phone(0).app.locator("#who")).to_have_text(host.onechat.alice.jid)
    return host


def run(host: Host, code: str) -> None:
    """Run the script in Alice's page."""
    host.phone(0).app.locator("body").evaluate("(_, code) => { (0, eval)(code); }", code)


@pytest.mark.parametrize("page", ["README.md", "docs/send.md", "docs/bridge.md"])
def test_contacts_are_chosen_and_written_to(host: Host, page: str) -> None:
    """The first script of the page asks Alice for people, and sends to them in her name."""
    run(host, blocks(page, "js")[0])
    phone = host.phone(0)
    phone.get("picker-item").filter(has_text="Bob").click()
    phone.get("picker-done").click()
    phone.get("share-send").click()
    bob = host.open_thread(1, host.onechat.alice.jid)
    expect(bob.get("message")).to_contain_text("Lunch?")


def test_calls_with_the_login_and_its_end(host: Host) -> None:
    """The other scripts of bridge.md call the server as Alice, read her name, and act on the end of her session."""
    _, fetch, signed_out, ready = blocks("docs/bridge.md", "js")
    with host.page.expect_response("**/api/alerts") as answer:
        run(host, fetch)
    assert answer.value.status == 204
    assert [message["text"] for message in host.onechat.messages(host.onechat.alice)] == ["Hi"]
    with host.page.expect_console_message(lambda message: message.text == "Alice Tan"):
        run(host, ready)
    run(host, signed_out)
    run(host, "dispatchEvent(new CustomEvent('oc:signedout'))")
    expect(host.phone(0).app.locator("body")).to_have_text("Please open this mini app again.")


def test_the_chat_plugin_on_a_page(context: BrowserContext, tmp_path: Path) -> None:
    """The page of ocwp.md, with the files that `miniapp ocwp` copies, shows the chat and asks for its credential."""
    assert CliRunner().invoke(cli, ["ocwp", str(tmp_path / "chat")]).exit_code == 0
    init, more = blocks("docs/ocwp.md", "js")
    (config,) = blocks("docs/ocwp.md", "json")
    page_itself = blocks("docs/ocwp.md", "html")[0]
    (tmp_path / "chat/config/config.json").write_text(json.dumps(json.loads(config)))
    (tmp_path / "site.js").write_text(init)
    (tmp_path / "more.js").write_text(more)
    (tmp_path / "index.html").write_text(
        f"<!doctype html><b id=chat-count></b><button id=ask>Ask</button>{page_itself}<script src=more.js></script>"
    )

    def site(_port: int) -> Flask:
        app = Flask(__name__, static_folder=str(tmp_path), static_url_path="")
        app.add_url_rule("/chat-credential", "credential", lambda: {"usr": "alice", "pw": "secret"}, methods=["POST"])
        return app

    with serving(site) as (_app, port):
        page = context.new_page()
        with page.expect_request("**/chat-credential"):
            page.goto(f"http://localhost:{port}/index.html")
        expect(page.locator("#onechatContainer").get_by_role("button").first).to_be_visible()
        page.locator("#ask").click()
        expect(page.get_by_role("textbox").last).to_have_value("About order 17: ")
        page.close()
