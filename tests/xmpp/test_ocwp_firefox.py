"""The chat plugin in Debian's Firefox, driven over WebDriver BiDi; all else about it is tested in Chromium."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from miniapp.sandbox.prosody import Prosody
from xmpp.friend import Friend, Got, Loop
from xmpp.ocwp_site import DOMAIN, Site

ROOT = Path(__file__).parents[2]
SECONDS = 120.0  # for Firefox to start, to chat and to end, on a busy machine; alone it takes eight
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


def test_two_people_chat(chat_server: Prosody, site: Site, loop: Loop, eventually: Callable[..., None]) -> None:
    """OneChat's example logs in; what is written arrives, what comes back is shown, and the page's policy holds."""
    bob = Friend(loop, BOB, "pw-bob", chat_server.ports.c2s).login()
    task = {"url": site.url, "usr": ALICE, "pw": "pw-alice", "to": BOB, "text": "hello Bob"}
    code = (ROOT / "tests/xmpp/firefox.mjs").read_text()
    firefox = subprocess.Popen(
        ["node", "--input-type=module", "-e", code],
        cwd=ROOT / "js",  # where puppeteer-core is
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with firefox:
        try:
            assert firefox.stdin is not None
            print(json.dumps(task), file=firefox.stdin, flush=True)
            eventually(lambda: firefox.poll() is not None or bob.got == [Got("chat", ALICE, "hello Bob")], SECONDS)
            bob.send(ALICE, "hello Alice")
            said, _ = firefox.communicate(timeout=SECONDS)
        finally:
            firefox.terminate()  # by which puppeteer ends Firefox, too
    bob.logout()
    assert json.loads(said) == {
        "statuses": [f"XMPP_CONNECTION_{status}" for status in ("CONNECTING", "CONNECTED", "CONNECTED_READY")],
        "texts": ["hello Bob", "hello Alice"],
        "errors": [],
        "breaks": [],
    }
