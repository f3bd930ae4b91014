"""The starter in a native container: WebKit, with `window.OC` put into the page as a phone's app might do it."""

from __future__ import annotations

import json
import queue
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import requests
import trustme
from flask import Flask, request

from miniapp.sandbox.config import SandboxConfig
from miniapp.sandbox.server import SandboxServer
from miniapp.testing.controls import Controls, browser_url
from miniapp.testing.onechat import LocalOneChat
from support.native import PYTHON, Native, display, native_container
from support.servers import ROOT, gunicorn, serving
from support.waiting import SECONDS

DEVICE = {"device": "iPhone 15", "os": "iOS 17.4", "screenWidth": "393", "screenHeight": "852"}
BOB = ["bob@onechat.localhost"]
ANSWERS = {
    "selectContacts": f"success({json.dumps(json.dumps(BOB))})",
    "single.relay": "success()",
    "group.relay": 'success("lunch@muc.onechat.localhost")',
}
PICK = "OC.user.selectContacts({ maxNumberOfSelection: 1 })"


@pytest.fixture(scope="module")
def native() -> Iterator[Native]:
    with display() as environment, native_container(environment) as native:
        yield native


@pytest.fixture(scope="module")
def onechat_server() -> Iterator[LocalOneChat]:
    with SandboxServer(SandboxConfig()) as running, requests.Session() as session:
        yield LocalOneChat(Controls(running.url, running.token, session=session))


@pytest.fixture(scope="module")
def starter(onechat_server: LocalOneChat) -> Iterator[str]:
    with gunicorn({**onechat_server.config, "ONECHAT_PUBLIC_URL": ""}) as url:
        yield url


@pytest.fixture
def profile(onechat_server: LocalOneChat) -> dict[str, object]:
    alice = onechat_server.alice
    vcard = {"jid": alice.jid, "userName": alice.name, "avatar": ""}
    return {"sessionId": onechat_server.session(alice), "vCard": vcard, "device": DEVICE}


def use_starter(native: Native, name: str) -> None:
    """Go the starter's whole way: greeted by name, with a contact chosen and a message sent."""
    native.until(f"document.body.innerText.includes('Hello, {name}')")
    native.until("document.body.innerText.includes('iPhone 15, iOS 17.4')")
    native.run("document.getElementById('choose').click()")
    native.until("document.getElementById('status').textContent == '1 person chosen.'")
    native.run("document.querySelector('[data-ask=each]').click()")
    native.until("document.getElementById('status').textContent == 'Sent to 1 person.'")
    assert native.calls[-1] == ["single.relay", {"recipient": json.dumps(BOB), "textMessage": "Lunch at 12:30?"}]


@pytest.mark.parametrize(
    ("shape", "when"),
    [
        ("plain", "start"),
        ("frozen", "start"),
        ("getters", "start"),
        ("frozen-getters", "1"),
        ("accessor", "start"),
        ("defined", "load"),
        ("locked", "start"),
        ("constant", "start"),
        ("constant", "1"),
        ("frozen-constant", "start"),
        ("parts", "start"),
        ("plain", "dom"),
        ("plain", "load"),
        ("plain", "1"),
    ],
)
def test_every_shape_of_the_containers_object_serves_the_starter(
    shape: str, when: str, native: Native, starter: str, profile: dict[str, object], onechat_server: LocalOneChat
):
    """However and whenever the container puts its object in, the starter logs in, greets, picks and sends."""
    native.open(starter, profile, ANSWERS, shape=shape, when=when)
    use_starter(native, onechat_server.alice.name)


@pytest.mark.parametrize(
    ("scheme", "host", "cookies", "kept"),
    [
        ("http", "localhost", True, True),
        ("http", "localhost", False, False),
        ("http", "lunch.localhost", True, False),  # a Secure cookie, which WebKit does not keep without TLS
        ("https", "lunch.localhost", True, True),
        ("https", "lunch.localhost", False, False),
    ],
)
def test_it_logs_in_over_http_and_https_with_and_without_cookies(
    scheme: str,
    host: str,
    cookies: bool,
    kept: bool,
    native: Native,
    profile: dict[str, object],
    onechat_server: LocalOneChat,
    tmp_path: Path,
):
    """Where the cookie is kept a plain fetch() has the login. Elsewhere the page and OC.app.fetch() go by bearer."""
    arguments = []
    if scheme == "https":
        certificate = trustme.CA().issue_cert(host)
        certificate.private_key_pem.write_to_path(tmp_path / "key")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
        arguments = ["--keyfile", str(tmp_path / "key"), "--certfile", str(tmp_path / "certificate")]
    with gunicorn({**onechat_server.config, "ONECHAT_PUBLIC_URL": ""}, *arguments) as url:
        native.open(url.replace("127.0.0.1", host), profile, ANSWERS, cookies=cookies, insecure=True)
        use_starter(native, onechat_server.alice.name)
        post = "('/api/alerts', { method: 'POST', body: new URLSearchParams('message=Hi') })"
        assert native.run(f"return (await fetch{post}).status") == (204 if kept else 401)
        assert native.run(f"return (await OC.app.fetch{post}).status") == 204


@pytest.mark.parametrize("answer", ["success()", 'success("")', "success(null)", "success('null')", "success([])"])
def test_a_cancelled_choice_is_an_empty_list(
    answer: str, native: Native, starter: str, profile: dict[str, object], onechat_server: LocalOneChat
):
    """However a container says that no contact was chosen, the starter says so and goes on."""
    native.open(starter, profile, {**ANSWERS, "selectContacts": answer})
    native.until(f"document.body.innerText.includes('Hello, {onechat_server.alice.name}')")
    assert native.run(f"return await {PICK}") == []
    native.run("document.getElementById('choose').click()")
    native.until("document.getElementById('status').textContent == 'Nobody was chosen.'")


@pytest.mark.parametrize("when", ["1", "load"])
def test_onechats_own_examples_log_what_a_late_container_says(
    when: str, native: Native, profile: dict[str, object], onechat_server: LocalOneChat, documented: ModuleType
):
    """Unchanged, they ask on DOMContentLoaded, before this container is there, and still log what it says."""
    with serving(lambda _: documented.create_app(onechat_server.config)) as (_, port):
        for name, field in (("getSessionID", "sessionId"), ("deviceInfo", "device"), ("getVCard", "vCard")):
            native.open(f"http://127.0.0.1:{port}/{name}", profile, when=when)
            logged = native.until("window.logged && logged.length && logged[0]")
            assert (logged if name == "getSessionID" else json.loads(logged)) == profile[field]


def test_the_program_opens_an_app_on_a_persons_phone(onechat_server: LocalOneChat):
    """As docs/native.md has it: with the sandbox's address and the app's, the page hears who is there."""
    told = queue.Queue[str]()
    ask = (
        "OC.user.selectContacts({ success: (jids) => fetch('/', { method: 'POST', body: OC.user.getVCard() + jids }) })"
    )

    def page() -> str:
        if request.method == "POST":
            told.put(request.get_data(as_text=True))
        return f"<script>{ask}</script>"

    def make(_port: int) -> Flask:
        app = Flask("picking")
        app.add_url_rule("/", "page", page, methods=["GET", "POST"])
        return app

    with serving(make) as (_, port), display() as environment:
        program = [PYTHON, ROOT / "examples/native_container/container.py"]
        addresses = [browser_url(onechat_server.url), f"http://127.0.0.1:{port}/"]
        with subprocess.Popen(
            [*program, *addresses, "--user", "bob", "--contacts", "'[]'"], env=environment
        ) as process:
            try:
                said = told.get(timeout=SECONDS)
            finally:
                process.terminate()
    assert said.endswith("[]")
    assert json.loads(said.removesuffix("[]"))["jid"] == onechat_server.bob.jid
