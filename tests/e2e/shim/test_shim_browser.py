"""The shim in Chromium: the functions, the bridges. Logging in: test_shim_login.py."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from support.node import ROOT
from support.shim_page import until

OK = {"ok": True}
RELAY = "OC.message.single.relay({recipient: ['b@d'], textMessage: 'hi'})"
# What a promise or a callback gave, in a form that comes out of the page
SETTLED = """(f) => new Promise((done) => {
  const plain = (e) => ({ code: e.code, message: e.message, hint: e.hint });
  Function("return " + f)().then((value) => done({ value }), (e) => done(plain(e)));
})"""


def stop_the_clock(page):
    """Lets time pass by page.clock.run_for() alone."""
    page.clock.install(time="2020-01-01")
    page.clock.pause_at("2020-01-02")


def outcome(frame, expression):
    return frame.evaluate(SETTLED, expression)


# --- the host page's bridge ---


def test_the_synchronous_functions_answer_as_documented(phone):
    """Session ID, device and vCard are there at once, as the documented strings and parsed on OC.app."""
    frame = phone.open()
    data = phone.data()
    assert frame.evaluate("OC.user.getSessionID()") == "s-alice-01"
    assert json.loads(frame.evaluate("OC.user.deviceInfo()")) == data["device"]
    assert json.loads(frame.evaluate("OC.user.getVCard()")) == data["vCard"]
    assert frame.evaluate("[OC.app.session, OC.app.user, OC.app.device, OC.app.id, OC.app.inHost]") == [
        "s-alice-01",
        data["vCard"],
        data["device"],
        "app-3f9c2b7e",
        True,
    ]
    assert frame.evaluate("OC.app.ready.then((app) => app === OC.app)")


def test_contacts_come_as_a_string_and_as_an_array(phone):
    """selectContacts gives its callback a JSON array, and its promise an array."""
    frame = phone.open(answers={"user.selectContacts": OK | {"value": ["b@d", "c@d"]}})
    both = frame.evaluate("""new Promise((done) => {
      const success = (text) => promise.then((list) => done([text, list]));
      const promise = OC.user.selectContacts({ maxNumberOfSelection: 2, success });
    })""")
    assert both == ['["b@d","c@d"]', ["b@d", "c@d"]]
    assert phone.calls() == [{"id": 1, "call": "user.selectContacts", "args": {"maxNumberOfSelection": 2}}]


def test_no_limit_is_minus_one_and_cancelling_is_an_empty_list(phone):
    """Without a limit the host is asked for any number; a cancelled choice is '[]'."""
    frame = phone.open(answers={"user.selectContacts": OK | {"value": []}})
    assert frame.evaluate("new Promise((success) => OC.user.selectContacts({ success }))") == "[]"
    assert outcome(frame, "OC.user.selectContacts()") == {"value": []}
    assert [call["args"] for call in phone.calls()] == [{"maxNumberOfSelection": -1}] * 2


@pytest.mark.parametrize("recipient", ["['b@d','c@d']", """'["b@d","c@d"]'"""], ids=["array", "string"])
def test_a_single_relay_succeeds(recipient, phone):
    """Recipients as a string or an array reach the host as an array; success is called, the promise settled."""
    frame = phone.open(answers={"message.single.relay": OK | {"value": None}})
    given = f"recipient: {recipient}, textMessage: 'hi', success: () => done('sent')"
    assert frame.evaluate(f"new Promise((done) => OC.message.single.relay({{{given}}}))") == "sent"
    assert phone.calls()[0]["args"] == {"recipient": ["b@d", "c@d"], "textMessage": "hi"}


def test_a_group_relay_gives_the_groups_jid(phone):
    """With invitees, or with a group beside which they are ignored, success gets the group's JID."""
    frame = phone.open(answers={"message.group.relay": OK | {"value": "g@muc.d"}})
    call = "new Promise((success) => OC.message.group.relay({invitees: '[\"b@d\"]', textMessage: 'hi', success}))"
    assert frame.evaluate(call) == "g@muc.d"
    assert outcome(frame, "OC.message.group.relay({groupJid: 'g@muc.d', invitees: 7, textMessage: 'hi'})") == {
        "value": "g@muc.d"
    }
    assert [call["args"] for call in phone.calls()] == [
        {"invitees": ["b@d"], "textMessage": "hi"},
        {"groupJid": "g@muc.d", "textMessage": "hi"},
    ]


def test_a_refusal_reaches_fail_and_the_promise(phone):
    """The host's code, message and hint come through, to both."""
    error = {"code": "cancelled", "message": "Not sent.", "hint": "Ask again."}
    frame = phone.open(answers={"message.single.relay": {"ok": False, "error": error}})
    assert outcome(frame, RELAY) == error
    given = "recipient: ['b@d'], textMessage: 'hi', fail: (e) => done([e.code, e.message, e.hint])"
    assert frame.evaluate(f"new Promise((done) => OC.message.single.relay({{{given}}}))") == list(error.values())


@pytest.mark.parametrize(
    "call",
    [
        "single.relay()",
        "single.relay({recipient: ['b@d']})",
        "single.relay({recipient: ['b@d'], textMessage: '  '})",
        "single.relay({recipient: ['b@d'], textMessage: 7})",
        "single.relay({textMessage: 'hi'})",
        "single.relay({recipient: [], textMessage: 'hi'})",
        "single.relay({recipient: 'b@d', textMessage: 'hi'})",
        "single.relay({recipient: '{\"length\": 1, \"0\": 1}', textMessage: 'hi'})",
        "single.relay({recipient: ['nobody'], textMessage: 'hi'})",
        "group.relay({textMessage: 'hi'})",
        "group.relay({groupJid: '', textMessage: 'hi'})",
        "group.relay({groupJid: 7, textMessage: 'hi'})",
        "group.relay({groupJid: 'g@muc.d'})",
        "selectContacts({maxNumberOfSelection: 0})",
        "selectContacts({maxNumberOfSelection: -2})",
        "selectContacts({maxNumberOfSelection: 1.5})",
        "selectContacts({maxNumberOfSelection: '1'})",
    ],
)
def test_a_bad_argument_is_named(call, phone, variant):
    """An argument that is missing or malformed fails the call with bad_argument, and nothing reaches the host."""
    frame = phone.open()
    name = "OC.user." if call.startswith("select") else "OC.message."
    failed = outcome(frame, name + call)
    assert failed["code"] == "bad_argument"
    assert re.match(r"[\w.]+: (recipient|textMessage|invitees|groupJid|maxNumberOfSelection) is ", failed["message"])
    assert failed["hint"] == "See docs/bridge.md#bad_argument"
    assert phone.calls() == []


def test_a_failure_that_a_callback_handles_is_no_unhandled_rejection(phone):
    """With `fail`, or `success` for selectContacts, no rejection is left over; without, it shows in the console."""
    frame = phone.open()
    left = """(calls) => new Promise((done) => {
      const seen = [];
      onunhandledrejection = (event) => {
        event.preventDefault();
        if (event.reason === "last") done(seen);
        else seen.push(event.reason.code);
      };
      calls.forEach((call) => Function(call)());
      setTimeout(() => Promise.reject("last"));
    })"""
    handled = [
        "OC.message.single.relay({fail: () => {}})",
        "OC.user.selectContacts({maxNumberOfSelection: 0, success: () => {}})",
    ]
    assert frame.evaluate(left, handled) == []
    assert frame.evaluate(left, ["OC.message.single.relay({success: () => {}})"]) == ["bad_argument"]


def test_a_call_without_an_answer_times_out(phone):
    """A sheet that is left lying fails its call with `timeout` after 300 s."""
    phone.page.clock.install()
    frame = phone.open()
    frame.evaluate("OC.app.ready")
    frame.evaluate(f"void (window.failed = {RELAY}.catch((e) => e.code))")
    phone.page.wait_for_function("() => calls.length === 1")
    phone.page.clock.fast_forward(301_000)
    assert frame.evaluate("failed") == "timeout"


def test_a_host_page_that_is_silent_times_out(phone):
    """Without an answer to the handshake calls fail with `timeout`, and OC.app.ready resolves."""
    phone.page.clock.install()
    frame = phone.open(mute=True)
    phone.page.wait_for_function("() => connects.length === 1")
    frame.evaluate(f"void (window.failed = {RELAY}.catch((e) => e.code))")
    phone.page.clock.fast_forward(6_000)
    assert frame.evaluate("failed") == "timeout"
    assert frame.evaluate("OC.app.ready.then((app) => app === OC.app)")


def test_a_host_page_that_was_late_is_asked_again(phone):
    """One missed handshake is not for the page's life: the next call connects, and is answered."""
    phone.page.clock.install()
    frame = phone.open(mute=True, answers={"message.single.relay": OK})
    phone.page.wait_for_function("() => connects.length === 1")
    phone.page.clock.fast_forward(6_000)
    assert frame.evaluate("OC.app.ready.then((app) => app.inHost)") is False
    phone.page.evaluate("mute = false")
    assert outcome(frame, RELAY) == {"value": None}
    assert frame.evaluate("[OC.app.inHost, OC.app.session]") == [True, "s-alice-01"]


def test_a_frame_inside_the_app_is_not_in_the_host(phone):
    """A page that the mini app frames gets no session, and its calls fail at once with a clear code."""
    frame = phone.open()
    frame.evaluate("OC.app.ready")
    frame.evaluate(
        "new Promise((done) => { const inner = document.createElement('iframe'); inner.onload = done;"
        " inner.src = '/public?inner'; document.body.append(inner); })"
    )
    inner = frame.child_frames[0]
    assert inner.evaluate("OC.app.ready.then((app) => [app.inHost, app.session])") == [False, ""]
    assert outcome(inner, RELAY)["code"] == "not_in_host"


@pytest.mark.parametrize("callbacks", ["success() {}", "success() {}, fail() {}"])
def test_an_unhandled_failure_is_in_the_console(callbacks, phone):
    """With `success` alone the promise is not used: the console has the error. With `fail` it is handled."""
    said = []
    phone.page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    frame = phone.open(mute=True)
    frame.evaluate(f"OC.user.selectContacts({{ maxNumberOfSelection: 0, {callbacks} }}).catch(() => 0)")
    assert any("maxNumberOfSelection" in text for text in said) == ("fail" not in callbacks)


def test_a_native_answer_counts_whenever_it_comes(phone):
    """A container that answers after the promise has given up still reaches the callback, and only once."""
    phone.page.clock.install()
    phone.page.goto(
        f"{phone.server.origin}/native?with=OC={{user:{{selectContacts(options){{window.answer=options.success}}}}}}"
    )
    phone.page.evaluate("""() => {
      window.heard = [];
      const success = (jids) => heard.push(jids), fail = (error) => heard.push(error.code);
      OC.user.selectContacts({ success, fail }).catch((error) => { window.code = error.code; });
    }""")
    phone.page.clock.fast_forward(301_000)
    phone.page.wait_for_function("() => window.code === 'timeout'")
    assert phone.page.evaluate("heard") == []
    phone.page.evaluate("answer('[\"bob@d\"]')")
    phone.page.wait_for_function("() => heard.length")
    assert phone.page.evaluate("heard") == ['["bob@d"]']


@pytest.mark.parametrize(
    ("given", "words"), [("", "OneChat refused."), ("{code: 7}", "OneChat refused."), ("'No.'", "No.")]
)
def test_whatever_a_container_fails_with_the_error_has_words(given, words, phone):
    """`fail()` without an argument, or with an object, is no riddle on the page."""
    phone.page.goto(
        f"{phone.server.origin}/native?with=OC={{message:{{single:{{relay(options){{options.fail({given})}}}}}}}}"
    )
    relay = "OC.message.single.relay({recipient: ['b@d'], textMessage: 'hi'})"
    assert phone.page.evaluate(f"{relay}.catch((e) => [e.code, e.message])") == ["refused", words]


def test_a_ping_is_answered(phone):
    """The host page can ask over the port whether this page is still there."""
    frame = phone.open()
    frame.evaluate("OC.app.ready")
    phone.page.evaluate("port.postMessage({ event: 'ping' })")
    phone.page.wait_for_function("() => calls.some((call) => call.event === 'pong')")


def test_what_a_callback_throws_stops_nothing(phone):
    """A page's broken callback shows as an error; the next call works."""
    frame = phone.open(answers={"message.single.relay": OK})
    frame.evaluate(
        "new Promise((done) => { onunhandledrejection = (e) => { e.preventDefault(); done(); };"
        " OC.message.single.relay({recipient: ['b@d'], textMessage: 'hi', success: () => { throw Error('mine'); }}); })"
    )
    assert outcome(frame, RELAY) == {"value": None}


# --- launch data ---


def test_launch_data_leaves_the_address_bar_and_survives_reload_and_link(phone):
    """The fragment is gone before a script runs; a reload and a link keep the session."""
    frame = phone.open()
    assert frame.evaluate("location.href") == f"{phone.server.origin}/public"
    frame.goto(f"{phone.server.origin}/public?again")
    assert phone.frame.evaluate("OC.app.session") == "s-alice-01"


def test_a_new_fragment_wins_over_an_earlier_users(phone):
    """Launch data of the next user replace those in storage."""
    phone.open()
    frame = phone.open(data=phone.data("bob"))
    assert frame.evaluate("OC.app.user.jid") == "bob@onechat.localhost"


@pytest.mark.parametrize(
    "fragment",
    ["", "x", "e30", "bnVsbA", "%%%", "eyJ2IjoxfQ", "W10"],
    ids=["empty", "short", "{}", "null", "percent", "v", "[]"],
)
def test_malformed_launch_data_is_nothing(fragment, phone):
    """What is no launch data tells the page nothing before the host page does, and does not break it."""
    phone.page.goto(phone.host)
    phone.page.evaluate("mute = true")
    phone.page.evaluate(
        "(src) => new Promise((done) => { wanted = src; frame.onload = done; frame.src = src; })",
        f"{phone.server.origin}/public#oc={fragment}",
    )
    assert phone.frame.evaluate("[OC.app.inHost, OC.user.getSessionID(), OC.user.getVCard()]") == [False, "", "{}"]
    assert phone.errors == []


def test_launch_data_of_another_host_is_not_used(phone):
    """Only a host that the settings name is believed."""
    frame = phone.open(data=phone.data(host="http://evil.localhost:1"))
    assert frame.evaluate("[OC.app.inHost, location.hash]") == [False, ""]


def test_where_storage_is_blocked_the_fragment_stays(phone):
    """Without sessionStorage the launch data stay in the address, for the next load."""
    phone.page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw Error('blocked'); } });"
    )
    frame = phone.open()
    assert frame.evaluate("[OC.app.session, location.hash.slice(0, 4)]") == ["s-alice-01", "#oc="]


# --- no bridge ---


CALLS = (
    RELAY,
    "OC.user.selectContacts()",
    "OC.message.group.relay({groupJid: 'g@d', textMessage: 'x'})",
    "OC.app.signIn()",
)


def test_in_a_plain_browser_nothing_hangs(phone):
    """Without a host the strings are empty. Calls wait 2 s for a container, later ones fail at once."""
    stop_the_clock(phone.page)
    phone.page.goto(phone.url())
    found = phone.page.evaluate(
        "[OC.app.inHost, OC.user.getSessionID(), OC.user.deviceInfo(), OC.user.getVCard(), location.hash]"
    )
    assert found == [False, "", "{}", "{}", ""]
    phone.page.evaluate(f"window.waiting = [{', '.join(CALLS)}].map((call) => call.catch((e) => e.code)); 0")
    phone.page.clock.run_for(1_000)
    tick = "Promise.race([...waiting, new Promise((done) => setTimeout(done, 0, 'waiting'))])"
    phone.page.evaluate(f"void (window.first = {tick})")
    phone.page.clock.run_for(1)
    assert phone.page.evaluate("first") == "waiting"
    phone.page.clock.run_for(2_000)
    assert phone.page.evaluate("Promise.all(waiting)") == ["not_in_host"] * len(CALLS)
    # the clock stands: these are answered at once
    assert [phone.page.evaluate(f"{call}.catch((e) => e.code)") for call in CALLS] == ["not_in_host"] * len(CALLS)
    assert phone.page.evaluate("OC.app.ready.then((app) => app === OC.app)")


def test_a_page_whose_load_does_not_end_waits_ten_seconds(phone):
    """A picture that never comes keeps no call waiting for more than 10 s."""
    held = []
    stop_the_clock(phone.page)
    phone.page.route("**/never.png", lambda route: held.append(route))
    phone.page.goto(phone.url("/native?with=document.write('<img src=/never.png>')"), wait_until="domcontentloaded")
    phone.page.evaluate(f"void (window.failed = {RELAY}.catch((e) => e.code))")
    phone.page.clock.run_for(10_100)
    assert phone.page.evaluate("failed") == "not_in_host"
    held[0].abort()


# --- a native bridge ---

NATIVE = """
  const asked = [];
  const made = {
    user: {
      getSessionID() { return "s-alice-01"; },
      deviceInfo() { return '{"device":"iPhone 7"}'; },
      getVCard() { return '{"jid":"alice@onechat.localhost"}'; },
      selectContacts(a) { asked.push(this === made.user); a.success('["n@d"]'); },
    },
    message: {
      single: { relay(a) { asked.push(a.recipient); a.fail("no network"); } },
      group: { relay(a) { a.success("g@muc.d"); } },
    },
  };
"""


@pytest.fixture
def native(phone):
    """Opens a page into which a container has put `script` before the shim runs."""

    def open_page(script, **more):
        phone.page.goto(f"{phone.server.origin}/native?{urlencode({'with': script, **more})}")
        return phone.page

    open_page.login = lambda script: open_page(script, login="")
    return open_page


def test_a_native_bridge_is_wrapped_and_never_replaced(native):
    """The container's object stays itself; its functions also return promises; OC.app is there."""
    page = native(NATIVE + "window.OC = made;")
    assert page.evaluate("OC === made && window.OC === made && OC.app.inHost")
    assert page.evaluate("[OC.user.getSessionID(), OC.app.user.jid, OC.app.device.device]") == [
        "s-alice-01",
        "alice@onechat.localhost",
        "iPhone 7",
    ]
    assert outcome(page, "OC.user.selectContacts()") == {"value": ["n@d"]}
    assert page.evaluate("new Promise((success) => OC.user.selectContacts({ success }))") == '["n@d"]'
    assert outcome(page, "OC.message.group.relay({groupJid: 'g', textMessage: 'x'})") == {"value": "g@muc.d"}
    assert page.evaluate("asked") == [True, True]


def test_a_native_failure_reaches_fail_as_it_is_and_the_promise_as_ours(native):
    """`fail` gets what the container gave; the promise rejects with code, message and hint."""
    page = native(NATIVE + "window.OC = made;")
    assert outcome(page, RELAY) == {"code": "refused", "message": "no network", "hint": "See docs/bridge.md#refused"}
    relay = "new Promise((fail) => OC.message.single.relay({recipient: '[\"b@d\"]', textMessage: 'x', fail}))"
    assert page.evaluate(relay) == "no network"
    assert page.evaluate("asked") == ['["b@d"]', '["b@d"]']


FREEZE = "[made, made.user, made.message, made.message.single, made.message.group].forEach(Object.freeze);"
VIEWS = """
  const views = () => ({
    get user() { return Object.assign({}, made.user); },
    get message() { return { single: Object.assign({}, made.message.single), group: made.message.group }; },
  });
"""
SHAPES = {
    "frozen": FREEZE + "window.OC = made;",
    "frozen at the top": "Object.freeze(made); window.OC = made;",
    "read-only functions": "Object.defineProperty(made.user, 'selectContacts', { writable: false }); window.OC = made;",
    "getters": VIEWS + "window.OC = views();",
    "new each time": VIEWS + "Object.defineProperty(window, 'OC', { configurable: true, get: views });",
    "a frozen variable": FREEZE + "var OC = made;",
    "a constant": "const OC = made;",
    "a class": "class App { get user() { return made.user; } get message() { return made.message; } } OC = new App();",
    "a function": "window.OC = Object.assign(() => {}, made);",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_native_bridge_serves_the_page(shape, native, phone):
    """Where the container's object can't be changed, OC is ours and calls the container's functions."""
    page = native(NATIVE.replace("this === made.user", "typeof this.getVCard") + SHAPES[shape])
    assert page.evaluate("[OC.user.getSessionID(), OC.app.session, OC.app.inHost, OC.app.user.jid]") == [
        "s-alice-01",
        "s-alice-01",
        True,
        "alice@onechat.localhost",
    ]
    assert page.evaluate("[OC, miniappOC].map((one) => JSON.parse(one.user.deviceInfo()).device)") == ["iPhone 7"] * 2
    for bridge in ("OC", "miniappOC"):
        assert page.evaluate(f"new Promise((success) => {bridge}.user.selectContacts({{ success }}))") == '["n@d"]'
        assert outcome(page, f"{bridge}.user.selectContacts()") == {"value": ["n@d"]}
        assert outcome(page, f"{bridge}.message.group.relay({{groupJid: 'g', textMessage: 'x'}})") == {
            "value": "g@muc.d"
        }
        assert outcome(page, f"{bridge}.{RELAY[3:]}")["message"] == "no network"
    assert page.evaluate("asked.filter((one) => one === 'function').length") == 4
    assert phone.errors == []


@pytest.mark.parametrize("shape", ["plain", *SHAPES])
def test_what_a_container_has_beyond_the_documented_functions_stays(shape, native):
    """Functions and values that OneChat does not document are still on OC, and run on the container's own objects."""
    more = """
      class Wallet { #coins = 7; get coins() { return this.#coins; } count() { return this.#coins; } }
      made.user.wallet = new Wallet();
      made.user.coins = Wallet.prototype.count.bind(made.user.wallet);
      made.user.whose = function () { return this.getSessionID(); };
    """
    page = native(NATIVE + more + SHAPES.get(shape, "window.OC = made;"))
    for bridge in ("OC", "miniappOC"):
        assert page.evaluate(
            f"[{bridge}.user.wallet.coins, {bridge}.user.wallet.count(), {bridge}.user.coins(), {bridge}.user.whose(),"
            f" 'wallet' in {bridge}.user, {bridge}.payment]"
        ) == [7, 7, 7, "s-alice-01", True, None]


def test_nothing_can_change_the_object_of_the_shim(native):
    """An assignment to a part of it does nothing."""
    page = native(NATIVE + FREEZE + "window.OC = made;")
    assert page.evaluate("[OC.user = 1, OC.user.selectContacts = 1] && typeof OC.user.selectContacts") == "function"


@pytest.mark.parametrize(
    "locked",
    ["Object.defineProperty(window, 'OC', { value: made });", "const OC = made;"],
    ids=["property", "constant"],
)
def test_an_object_that_is_locked_stays_as_it_is_and_ours_is_beside_it(locked, native, phone):
    """A frozen OC that can't be replaced works as documented; window.miniappOC has promises and `app`."""
    page = native(NATIVE + FREEZE + locked)
    assert page.evaluate("OC === made && OC.app === undefined")
    assert page.evaluate("new Promise((success) => OC.user.selectContacts({ success }))") == '["n@d"]'
    assert outcome(page, "miniappOC.user.selectContacts()") == {"value": ["n@d"]}
    assert page.evaluate("miniappOC.app.inHost")
    assert phone.errors == []


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        ("selectContacts", "", {"value": []}),
        ("selectContacts", "''", {"value": []}),
        ("selectContacts", "null", {"value": []}),
        ("selectContacts", "'null'", {"value": []}),
        ("selectContacts", "[]", {"value": []}),
        ("selectContacts", "['n@d']", {"value": ["n@d"]}),
        ("selectContacts", "{}", "refused"),
        ("selectContacts", "'{}'", "refused"),
        ("selectContacts", "'n@d'", "refused"),
        ("selectContacts", "[7]", "refused"),
        ("selectContacts", "true", "refused"),
        ("group.relay", "'g@muc.d'", {"value": "g@muc.d"}),
        ("group.relay", "", {"value": "given@muc.d"}),
        ("group.relay", "{}", {"value": "given@muc.d"}),
        ("single.relay", "{sent: 1}", {"value": None}),
    ],
)
def test_whatever_a_container_answers_the_promise_has_the_documented_type(call, answer, expected, native):
    """No contacts are an empty list, a group has its JID, and what is no list fails with a code."""
    page = native(f"""
      const answer = (options) => options.success({answer});
      const relay = {{ relay: answer }};
      window.OC = {{ user: {{ selectContacts: answer }}, message: {{ single: relay, group: relay }} }};
    """)
    path = "user." if call == "selectContacts" else "message."
    found = outcome(page, f"OC.{path}{call}({{groupJid: 'given@muc.d', recipient: ['b@d'], textMessage: 'x'}})")
    assert found == expected or found["code"] == expected


@pytest.mark.parametrize(
    "late",
    [
        "window.OC = made",
        "OC = Object.freeze(made)",
        "window.OC = window.OC || {}; OC.user = made.user",
        "OC.user = made.user; OC.message = made.message",
        "Object.defineProperty(window, 'OC', { value: made })",
    ],
    ids=["assigned", "frozen", "added to", "filled", "defined"],
)
def test_a_native_bridge_that_comes_late_is_adopted(late, native):
    """A bridge that is put in after the shim, before the document is there, is wrapped as well."""
    page = native(
        NATIVE + f"document.onreadystatechange = () => {{ if (document.readyState[0] === 'i') {{ {late} }} }};"
    )
    until(page, "OC.app && OC.app.session")
    assert page.evaluate("OC.app.inHost")
    assert outcome(page, "OC.user.selectContacts()") == {"value": ["n@d"]}


def test_a_native_bridge_may_come_after_the_document(native):
    """An assignment to window.OC at any time is taken up, and the object stays itself."""
    page = native(NATIVE)
    assert page.evaluate("(OC = made, OC === made && OC.app.inHost)")
    assert outcome(page, "OC.user.selectContacts()") == {"value": ["n@d"]}


def test_a_function_that_the_container_lacks_is_refused(native):
    """An older container's missing function fails like any call."""
    page = native(NATIVE + "delete made.message; window.OC = made;")
    assert outcome(page, RELAY)["code"] == "refused"


LATE = ("OC = made", "Object.defineProperty(window, 'OC', { value: made })", "const OC = made")


def late_script(page, script):
    """Runs `script` in the page as a container does: as a script of its own, whatever the page's policy says."""
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": script})


@pytest.mark.parametrize(
    "script", ["OC = made", "Object.defineProperty(window, 'OC', { value: made })", "const OC = made"]
)
def test_calls_wait_for_a_container_that_is_late(script, native):
    """What is called while a container may still come is answered by it, and OC.app.ready waits for it."""
    page = native(NATIVE)
    page.evaluate("""() => {
      window.answers = Promise.all([OC.user.selectContacts(), OC.app.ready.then((app) => app.user.jid)]);
      window.heard = new Promise((success) => OC.user.selectContacts({ success }));
    }""")
    late_script(page, script)
    assert page.evaluate("answers") == [["n@d"], "alice@onechat.localhost"]
    assert page.evaluate("heard") == '["n@d"]'


@pytest.mark.parametrize(
    "script", ["OC = made", "Object.defineProperty(window, 'OC', { value: made })", "const OC = made"]
)
def test_a_container_that_is_very_late_is_noticed_without_a_word_of_the_page(script, native, phone):
    """Long after the page has said that it is not in OneChat, a container's object is found and the login goes on."""
    page = native.login(NATIVE)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert phone.server.posts == []
    with page.expect_response("**/miniapp/session") as answer:
        late_script(page, script)
    assert answer.value.status == 204


def test_the_button_looks_for_a_container_again(native, phone):
    """A person who presses the button need not wait until the page looks by itself."""
    stop_the_clock(phone.page)
    page = native.login(NATIVE)
    page.clock.run_for(2_100)
    button = page.get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    page.evaluate("Object.defineProperty(window, 'OC', { value: made })")
    with page.expect_response("**/miniapp/session") as answer:
        button.click()
    assert answer.value.status == 204


def test_parts_that_come_late_are_taken_up(native):
    """A container that brings `user` first and `message` later has both wrapped, and calls between wait."""
    page = native(NATIVE + "window.OC = { user: made.user };")
    page.evaluate("void (window.failed = OC.message.single.relay({ recipient: ['b@d'] }).catch((e) => e.message))")
    page.evaluate("OC.message = made.message")
    assert page.evaluate("failed") == "no network"
    until(page, "OC.message.group.relay === miniappOC.message.group.relay")


@pytest.mark.parametrize("name", ["getSessionID", "deviceInfo", "getVCard"])
def test_onechats_own_examples_log_what_a_late_container_says(name, native):
    """A listener for DOMContentLoaded that names OC is called once the container is there."""
    example = (ROOT / f"examples/documented/static/{name}.js").read_text()
    page = native(NATIVE + "window.logged = []; console.log = (text) => logged.push(text);", body=example)
    assert page.evaluate("[document.readyState, logged.length]") == ["complete", 0]
    page.evaluate("OC = made")
    until(page, "logged.length")
    assert page.evaluate(f"logged[0] === made.user.{name}()")


def test_a_listener_without_a_word_of_oc_is_called_at_once(native):
    """Scripts of the page that have nothing to do with OneChat don't wait for a container."""
    page = native("", body="document.addEventListener('DOMContentLoaded', () => { window.called = 1; });")
    assert page.evaluate("called") == 1


def test_a_window_that_the_app_opens_has_the_bridge_of_its_opener(phone):
    """A link with target=_blank and window.open() lead to pages that the same phone serves."""
    frame = phone.open(answers={"user.selectContacts": OK | {"value": ["b@d"]}})
    frame.evaluate("OC.app.ready")
    for act in ("window.open('/public?new')", "document.body.innerHTML = '<a href=/public?link target=_blank>'"):
        with phone.page.context.expect_page() as opened:
            frame.evaluate(f"{act}; 0")
            if "innerHTML" in act:
                frame.locator("a").dispatch_event("click")
        window = opened.value
        until(window, "window.OC")
        assert window.evaluate("OC.app.ready.then((app) => [app.inHost, app.session])") == [True, "s-alice-01"]
        assert outcome(window, "OC.user.selectContacts()") == {"value": ["b@d"]}
        assert frame.evaluate("OC.app.inHost && OC.user.getSessionID()") == "s-alice-01"
        window.close()
