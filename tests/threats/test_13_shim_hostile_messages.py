"""Row 13: postMessage confusion. The shim's part: only the host page is heard."""

from __future__ import annotations

import pytest
from flask import Flask, Response

from support.servers import serving
from support.shim_page import host_origin, lifetime, phone, server, until, variant

__all__ = ["host_origin", "lifetime", "phone", "server", "variant"]

# A port that would make the page load again and sign in as another user, if the shim took it.
ATTACK = """
  const attack = (target, id) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => parent.postMessage("taken", "*");
    target.postMessage({ oc: 1, type: "port", id }, "*", [channel.port2]);
    channel.port1.postMessage({ event: "reload" });
    channel.port1.postMessage({ id: 1, ok: true, value: ["evil@d"] });
  };
"""


@pytest.fixture
def evil():
    """Another origin, with a page that can be framed."""

    def make(port):
        app = Flask("evil")
        app.add_url_rule("/", "page", lambda: Response(f"<script>{ATTACK}</script>", mimetype="text/html"))
        return app

    with serving(make) as (_, port):
        yield f"http://evil.localhost:{port}"


@pytest.fixture
def waiting(phone):
    """The mini app's frame, whose handshake is not answered yet, with a call that waits for it."""
    frame = phone.open(mute=True)
    phone.page.wait_for_function("() => connects.length === 1")
    frame.evaluate("""() => {
      window.mark = 1;
      window.heard = 0;
      addEventListener("message", () => { heard += 1; });
      window.result = OC.user.selectContacts();
    }""")
    phone.page.evaluate(
        "void addEventListener('message', (event) => { if (event.data === 'taken') window.taken = true; })"
    )
    return frame


def unharmed(phone, frame, heard):
    """The attacks arrived and had no effect; the true host page is then answered as ever."""
    until(frame, f"heard >= {heard}")
    phone.page.evaluate(
        """() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = ({ data }) => channel.port1.postMessage({ id: data.id, ok: true, value: ["b@d"] });
          const port = { oc: 1, type: "port", id: connects[0].id };
          frame.contentWindow.postMessage(port, new URL(wanted).origin, [channel.port2]);
          channel.port1.postMessage({ event: "launch", data: launch });
        }"""
    )
    assert frame.evaluate("result") == ["b@d"]
    assert frame.evaluate("[mark, OC.app.session]") == [1, "s-alice-01"]
    assert phone.page.evaluate("window.taken") is None
    assert phone.errors == []


def secret(phone):
    """The handshake's id: the attackers of these tests are told even that."""
    return phone.page.evaluate("connects[0].id")


def test_a_sibling_frame_of_another_origin_is_not_heard(phone, waiting, evil):
    """A frame beside ours that knows the id can't give us a port."""
    phone.page.evaluate(
        """(src) => new Promise((done) => {
          const other = document.createElement("iframe");
          other.onload = done;
          other.src = src;
          document.body.append(other);
        })""",
        evil,
    )
    sibling = next(frame for frame in phone.page.frames if frame.url.startswith(evil))
    sibling.evaluate("(id) => attack(parent.frames[0], id)", secret(phone))
    unharmed(phone, waiting, 1)


def test_an_opaque_origin_is_not_heard(phone, waiting):
    """A sandboxed frame, whose origin is null, can't give us a port."""
    phone.page.evaluate(
        """([attack, id]) => {
          const other = document.createElement("iframe");
          other.sandbox = "allow-scripts";
          other.srcdoc = "<script>" + attack + "attack(parent.frames[0], '" + id + "')</" + "script>";
          document.body.append(other);
        }""",
        [ATTACK, secret(phone)],
    )
    unharmed(phone, waiting, 1)


def test_the_page_itself_is_not_heard(phone, waiting):
    """A script of the mini app's own page, which is not the parent, can't give it a port."""
    waiting.evaluate(f"(id) => {{ {ATTACK} attack(window, id); }}", secret(phone))
    unharmed(phone, waiting, 1)


def test_a_sibling_of_the_hosts_own_origin_is_not_heard(phone, waiting):
    """The right origin is not enough: the sender must be the parent itself."""
    phone.page.evaluate(
        """([attack, id]) => new Promise((done) => {
          const other = document.createElement("iframe");
          other.srcdoc = "<script>" + attack + "attack(parent.frames[0], '" + id + "')</" + "script>";
          other.onload = done;
          document.body.append(other);
        })""",
        [ATTACK, secret(phone)],
    )
    unharmed(phone, waiting, 1)


MALFORMED = [
    None,
    0,
    "port",
    [],
    {},
    {"oc": 1, "type": "port"},
    {"oc": 1, "type": "port", "id": None},
    {"oc": 1, "type": "port", "id": ["ID"]},
    {"oc": 1, "type": "port", "id": "ID "},
    {"oc": 1, "type": "port", "id": "0,0,0,0"},
    {"event": "reload"},
    {"event": "launch", "data": {}},
    {"id": 1, "ok": True, "value": ["evil@d"]},
]


def test_malformed_and_guessed_messages_of_the_parent_are_not_heard(phone, waiting):
    """The parent too must name the id; all else is left lying, and no event is taken outside the port."""
    phone.page.evaluate(
        """(messages) => messages.forEach((message) => {
          const channel = new MessageChannel();
          frame.contentWindow.postMessage(message, new URL(wanted).origin, [channel.port2]);
          channel.port1.postMessage({ event: "reload" });
        })""",
        MALFORMED,
    )
    unharmed(phone, waiting, len(MALFORMED))


def test_a_replayed_answer_is_not_heard(phone):
    """Once the port is taken, the same answer with another port changes nothing."""
    frame = phone.open(answers={"user.selectContacts": {"ok": True, "value": ["b@d"]}})
    frame.evaluate("OC.app.ready")
    frame.evaluate("() => { window.mark = 1; window.heard = 0; addEventListener('message', () => { heard += 1; }); }")
    phone.page.evaluate(
        """() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => { window.taken = true; };
          const port = { oc: 1, type: "port", id: connects[0].id };
          frame.contentWindow.postMessage(port, new URL(wanted).origin, [channel.port2]);
          channel.port1.postMessage({ event: "reload" });
        }"""
    )
    until(frame, "heard === 1")
    assert frame.evaluate("OC.user.selectContacts()") == ["b@d"]
    assert frame.evaluate("mark") == 1
    assert phone.page.evaluate("window.taken") is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "x",
        {},
        {"id": 99, "ok": True},
        {"id": 0, "ok": True},
        {"id": "__proto__", "ok": True},
        {"event": "launch"},
        {
            "event": "launch",
            "data": {"host": "http://evil.localhost", "sessionId": "s-evil-0001", "vCard": {"jid": "e@d"}},
        },
    ],
    ids=str,
)
def test_a_malformed_message_over_the_port_changes_nothing(message, phone):
    """What is neither an answer, nor an event, nor launch data of this host has no effect."""
    frame = phone.open(answers={"user.selectContacts": {"ok": True, "value": ["b@d"]}})
    frame.evaluate("OC.app.ready")
    phone.page.evaluate("(message) => port.postMessage(message)", message)
    assert frame.evaluate("OC.user.selectContacts()") == ["b@d"]
    assert frame.evaluate("OC.app.session") == "s-alice-01"
    assert phone.errors == []


def test_a_refusal_without_an_error_is_a_refusal(phone):
    """An answer that says no and nothing else fails its call, instead of leaving it to wait."""
    frame = phone.open(answers={"user.selectContacts": {"ok": False}})
    assert frame.evaluate("OC.user.selectContacts().catch((error) => error.message === '' || error.hint)")
    assert phone.errors == []


def test_no_handshake_is_offered_to_another_host(phone, evil):
    """Framed by a page that the settings don't name, the shim says nothing to it."""
    phone.page.goto(evil)
    phone.page.evaluate(
        """(src) => new Promise((done) => {
          window.heard = [];
          addEventListener("message", (event) => heard.push(event.data));
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = src;
          document.body.append(frame);
        })""",
        phone.url(),
    )
    frame = phone.page.frames[1]
    # launch data in the fragment don't make this page the host, though they name the true one
    assert frame.evaluate("[OC.app.session, OC.app.inHost]") == ["", False]
    frame.evaluate("new Promise((done) => setTimeout(done))")
    assert phone.page.evaluate("heard") == []


def test_a_parent_of_another_origin_is_not_heard(phone, evil):
    """A page that frames us and has guessed even the id can't give us a port: its origin is not the host's."""
    phone.page.add_init_script("crypto.getRandomValues = (array) => array.fill(0);")
    phone.page.goto(evil)
    phone.page.evaluate(
        """(src) => new Promise((done) => {
          window.addEventListener("message", ({ data }) => { if (data === "taken") window.taken = true; });
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = src;
          document.body.append(frame);
        })""",
        phone.url(),
    )
    frame = phone.page.frames[1]
    frame.evaluate("() => { window.mark = 1; window.heard = 0; addEventListener('message', () => { heard += 1; }); }")
    frame.evaluate("void OC.user.selectContacts().then((value) => { window.got = value; }, () => {})")
    phone.page.evaluate("""() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = ({ data }) => { window.taken = true; };
      channel.port1.postMessage({ id: 1, ok: true, value: ["evil@d"] });
      frames[0].postMessage({ oc: 1, type: "port", id: "0,0,0,0" }, "*", [channel.port2]);
    }""")
    until(frame, "heard === 1")
    # a second message over the same window comes after whatever the first one set off
    phone.page.evaluate("frames[0].postMessage('later', '*')")
    until(frame, "heard === 2")
    assert frame.evaluate("[mark, window.got === undefined]") == [1, True]
    assert phone.page.evaluate("window.taken") is None
