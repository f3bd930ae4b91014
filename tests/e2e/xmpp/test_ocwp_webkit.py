"""The chat plugin in MiniBrowser, WebKit's own browser, with and without its tracking prevention."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miniapp.sandbox.prosody import Prosody
from support.minibrowser import minibrowser
from support.native import display
from support.people import DOMAIN
from support.xmpp.friend import Friend, Got, Loop
from support.xmpp.ocwp_site import READY, Site

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
TEXTS = "[...deep('ocwp-thread').shadowRoot.querySelectorAll('.text')].map((text) => text.textContent)"


@pytest.mark.parametrize("arguments", [["--enable-itp"], []], ids=["ITP", "no ITP"])
def test_two_people_chat(
    arguments: list[str], chat_server: Prosody, site: Site, loop: Loop, eventually: Callable[..., None]
) -> None:
    """The plugin logs in; what is written arrives, what comes back is shown, and the page's policy holds."""
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    with display() as environment, minibrowser(environment, *arguments) as browser:
        browser.goto(site.url)
        login = f"{{ usr: '{ALICE}', pw: 'pw-alice' }}"
        options = f"chatBox: {{ outerPaddingLeft: 350 }}, login: {login}"
        browser.run(f"ocwp.init({{ containerElement: document.getElementById('onechatContainer'), {options} }})")
        browser.until(f"ocwp.getConnectionStatus() === '{READY}'")
        browser.type("input[type=search]", BOB)
        browser.click(f"button[data-jid='{BOB}']")
        browser.type("textarea", "hello Bob\ue007")
        eventually(lambda: bob.got == [Got("chat", ALICE, "hello Bob")])
        bob.send(ALICE, "hello Alice")
        browser.until(f"{TEXTS}.length === 2")
        assert browser.run(f"return {TEXTS}") == ["hello Bob", "hello Alice"]
        assert browser.run("return window.policyBreaks") == []
    bob.logout()
