"""The examples of OneChat's API page run unchanged and log what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import ConsoleMessage, Page

from miniapp.testing.controls import browser_url
from miniapp.testing.onechat import LocalOneChat
from support.firefox import firefox
from support.phones import Host, add_app
from support.servers import serving


def logged_by(page: Page, act: Callable[[], object]) -> ConsoleMessage:
    """What the example logs when `act` is done."""
    with page.expect_console_message(lambda message: message.type == "log") as caught:
        act()
    return caught.value


@pytest.fixture
def host(open_host: Callable[..., Host], documented: ModuleType) -> Host:
    return open_host(documented.create_app, name="Examples", query="alice")


@pytest.mark.parametrize("name", ["getSessionID", "deviceInfo", "getVCard"])
def test_the_synchronous_ones_log_strings(name: str, host: Host):
    """The session ID is a string of its own, device and vCard are JSON with the documented names."""
    phone = host.open_app(0)
    text = logged_by(host.page, phone.app.get_by_role("link", name=name).click).text
    if name == "getSessionID":
        assert len(text) >= 8
    elif name == "deviceInfo":
        assert set(json.loads(text)) == {"device", "os", "screenWidth", "screenHeight"}
    else:
        vcard = json.loads(text)
        assert set(vcard) == {"jid", "userName", "avatar"}
        assert vcard["jid"] == host.onechat.alice.jid


def test_select_contacts_logs_a_json_array(host: Host):
    """One contact, as the example's limit says; an empty array when it is cancelled."""
    phone = host.open_app(0)
    phone.app.get_by_role("link", name="selectContacts").click()
    phone.get("picker-item").filter(has_text="Bob").click()
    text = logged_by(host.page, phone.get("picker-done").click).text
    assert text == json.dumps([host.onechat.bob.jid])
    phone.get("app-reload").click()
    text = logged_by(host.page, phone.get("picker-cancel").click).text
    assert text == "[]"


@pytest.mark.parametrize("name", ["single.relay", "group.relay"])
def test_the_relays_say_that_their_sample_addresses_have_no_user(name: str, host: Host):
    """`fail` is called with what the host says: the printed JIDs exist nowhere."""
    phone = host.open_app(0)
    link = phone.app.get_by_role("link", name=name)
    message = logged_by(host.page, link.click)
    error = message.args[0].evaluate("error => ({code: error.code, message: error.message})")
    assert error["code"] == "refused"
    assert error["message"]


def test_the_synchronous_ones_in_firefox(documented: ModuleType, onechat_server: LocalOneChat) -> None:
    """In Firefox, too, the host page opens the app, whose name it resolves by itself, and they log strings."""
    script = Path(__file__).with_name("firefox_examples.mjs")
    with serving(lambda port: documented.create_app(add_app(onechat_server, port, "Examples"))) as (_, port):
        url = f"{browser_url(onechat_server.url)}/?phones=alice"
        with firefox(script, url=url, port=str(port)) as page:
            seen = page.seen()
    assert seen["errors"] == []
    assert len(seen["logged"]["getSessionID"]) >= 8
    assert set(json.loads(seen["logged"]["deviceInfo"])) == {"device", "os", "screenWidth", "screenHeight"}
    assert json.loads(seen["logged"]["getVCard"])["jid"] == onechat_server.alice.jid
