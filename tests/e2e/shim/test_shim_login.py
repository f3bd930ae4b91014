"""The shim in Chromium: logging in, renewing, and doing without cookies."""

from __future__ import annotations

import pytest
from flask import Flask, Response, request
from playwright.sync_api import expect

from support.servers import serving
from support.shim_page import until


def gets(server, path="/"):
    """The statuses of the page's GETs."""
    return [status for method, seen, status in server.seen if (method, seen) == ("GET", path)]


# --- the 401 page ---


def test_it_logs_in_by_one_post_and_one_reload(phone):
    """On the 401 page the shim posts JID and session ID once, and loads the page again once."""
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("alice@onechat.localhost")
    assert phone.server.posts == [{"jid": "alice@onechat.localhost", "sessionId": "s-alice-01"}]
    assert gets(phone.server) == [401, 200]
    assert phone.frame.evaluate("OC.app.ready.then((app) => app.inHost)")


def test_where_cookies_are_blocked_it_gets_the_page_with_a_bearer(phone):
    """A second 401 page makes the shim ask for a bearer and write the page over the 401 page, scripts and all."""
    phone.server.cookies = False
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("alice@onechat.localhost")
    assert gets(phone.server) == [401, 401, 200]
    assert [post.get("bearer") for post in phone.server.posts] == [None, True]
    frame = phone.frame
    assert (
        frame.evaluate("OC.app.fetch('/api/me').then((r) => r.json()).then((me) => me.jid)")
        == "alice@onechat.localhost"
    )
    # the page's own scripts run under the 401 page's policy, and the bridge goes on over the same port
    frame.evaluate("window.dispatchEvent(new CustomEvent('oc:signedout'))")
    assert frame.title() == "signed out"
    frame.evaluate("void OC.user.selectContacts()")
    phone.page.wait_for_function("() => calls.length === 1")
    assert len(phone.page.evaluate("connects")) == 2
    assert phone.errors == []


def test_the_next_page_without_cookies_asks_for_a_bearer_at_once(phone):
    """In a frame that is known to have no cookies no reload is wasted."""
    phone.server.cookies = False
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    phone.server.seen.clear()
    phone.frame.goto(f"{phone.server.origin}/?next")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    assert gets(phone.server) == [401, 200]


def test_a_page_that_stays_401_is_not_loaded_again(phone):
    """A login that the page doesn't take ends in a message and a button, not in a loop."""
    phone.server.cookies = False
    phone.server.login = type("Forgetful", (dict,), {"get": lambda *_: None})()
    phone.open("/")
    button = phone.page.frame_locator("iframe").get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    expect(phone.page.frame_locator("iframe").locator("output")).to_have_text(
        "You are not signed in. Please open this mini app again."
    )
    assert gets(phone.server) == [401, 401, 401]
    assert len(phone.server.posts) == 2


def test_a_bearer_page_that_was_redirected_has_its_own_address(phone):
    """Relative links of a page written in bearer mode start from where the server sent us."""
    phone.server.cookies = False
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    phone.frame.goto(f"{phone.server.origin}/moving")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    assert phone.frame.evaluate("location.pathname") == "/to/here"


def test_text_is_not_read_as_a_page(phone):
    """In bearer mode an answer that is no HTML is never written into the document."""
    phone.server.cookies = False
    phone.open("/text")
    expect(phone.page.frame_locator("iframe").get_by_role("button", name="Try again")).to_be_visible()
    assert phone.frame.title() == "page"


BLOCKED = "Object.defineProperty(window, 'sessionStorage', { get() { throw Error('blocked'); } });"


def test_with_storage_blocked_cookies_are_used_where_they_are_kept(phone):
    """Blocked storage does not mean blocked cookies: partitioned ones are kept in such a frame."""
    phone.page.add_init_script(BLOCKED)
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    assert gets(phone.server) == [401, 200]
    assert [post.get("bearer") for post in phone.server.posts] == [None]


def test_with_storage_and_cookies_blocked_it_goes_by_bearer(phone):
    """The frame's name tells a second 401 page where storage can't, so there is no loop."""
    phone.page.add_init_script(BLOCKED)
    phone.server.cookies = False
    phone.open("/")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    assert gets(phone.server) == [401, 401, 200]


def test_with_storage_blocked_a_link_keeps_the_host(phone):
    """The next page has neither a fragment nor storage: it asks the page that frames it."""
    phone.page.add_init_script(BLOCKED)
    phone.open("/public")
    phone.frame.goto(f"{phone.server.origin}/public?next")
    assert phone.frame.evaluate("OC.app.ready.then((app) => [app.inHost, app.session])") == [True, "s-alice-01"]


def test_a_refused_session_is_said_and_not_tried_again(phone):
    """The server's 401 shows as its own words with a button, which tries once more."""
    phone.page.clock.install()
    phone.open("/", phone.data(sessionId="s-unknown-1"))
    frame = phone.page.frame_locator("iframe")
    expect(frame.locator("output")).to_have_text("The server says 401.")
    phone.page.clock.fast_forward(60_000)
    assert len(phone.server.posts) == 1
    with phone.page.expect_response("**/miniapp/session"):
        frame.get_by_role("button", name="Try again").click()
    assert len(phone.server.posts) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_tried_again_when_it_says(status, phone):
    """429 and 503 show a message, and the next try waits for as long as Retry-After says."""
    phone.page.clock.install()
    phone.server.refusals = [phone.server.refusal(status, **{"Retry-After": "20"})]
    phone.open("/")
    frame = phone.page.frame_locator("iframe")
    expect(frame.locator("output")).to_have_text(f"The server says {status}.")
    phone.page.clock.fast_forward(10_000)  # the clock goes on meanwhile, on a busy machine by seconds
    assert len(phone.server.posts) == 1
    phone.page.clock.fast_forward(11_000)
    expect(frame.locator("h1")).to_be_visible()
    assert len(phone.server.posts) == 2


def test_tries_are_bounded(phone):
    """After five tries of its own the shim leaves it to the person."""
    phone.page.clock.install()
    phone.page.route("**/miniapp/session", lambda route: route.abort())
    asked = []
    phone.page.on("requestfailed", lambda request: asked.append(request.url))
    phone.open("/")
    output = phone.page.frame_locator("iframe").locator("output")
    for number in range(1, 7):
        expect(output).to_have_text("No answer. Try again.")
        while len(asked) < number:
            phone.page.wait_for_event("requestfailed")
        phone.page.clock.run_for(17_000 if number == 6 else 2 ** (number - 1) * 1000 + 100)
    phone.page.clock.run_for(600_000)
    assert len(asked) == 6


def test_in_a_plain_browser_the_401_page_says_where_to_open_it(phone):
    """Outside OneChat there is a short text and nothing is posted."""
    phone.page.goto(f"{phone.server.origin}/")
    expect(phone.page.locator("output")).to_have_text("Open this page in OneChat.")
    assert phone.server.posts == []


def test_a_native_container_logs_in_too_even_if_late(phone):
    """A bridge that is put in after the 401 page's text was shown still logs in."""
    phone.page.goto(f"{phone.server.origin}/")
    expect(phone.page.locator("output")).to_have_text("Open this page in OneChat.")
    phone.page.evaluate("""void (window.OC = { user: {
      getSessionID: () => "s-alice-01", getVCard: () => '{"jid":"alice@onechat.localhost"}' } })""")
    expect(phone.page.locator("h1")).to_have_text("alice@onechat.localhost")
    assert len(phone.server.posts) == 1


# --- logged in ---


def logged_in(phone, **options):
    phone.open("/", **options)
    expect(phone.page.frame_locator("iframe").locator("h1")).to_be_visible()
    assert phone.frame.evaluate("OC.app.ready.then((app) => app.inHost)")
    return phone.frame


def test_another_users_page_is_replaced(phone):
    """A page of an earlier user's login is replaced by one for the current user."""
    logged_in(phone)
    phone.open("/", phone.data("bob"))
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("bob@onechat.localhost")
    assert [post["jid"] for post in phone.server.posts] == ["alice@onechat.localhost", "bob@onechat.localhost"]


def test_a_jid_in_capitals_or_with_a_resource_is_the_same_user(phone):
    """Case and resource make no other user, and no further login."""
    logged_in(phone)
    card = phone.data()["vCard"] | {"jid": "Alice@OneChat.localhost/phone"}
    logged_in(phone, data=phone.data(vCard=card))
    assert len(phone.server.posts) == 1


def test_a_jid_that_the_server_writes_otherwise_makes_no_loop(phone):
    """If the page's JID still differs after one login and reload, the page stays as it is."""
    logged_in(phone)
    phone.page.route("**/miniapp/session", lambda route: route.fulfill(status=204))
    phone.server.seen.clear()
    phone.open("/", phone.data("bob"))
    phone.page.wait_for_function("() => connects.length === 2")
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("alice@onechat.localhost")
    assert gets(phone.server) == [200, 200]


@pytest.mark.parametrize("lifetime", [30])
def test_the_login_is_renewed_at_four_fifths_of_its_life(phone):
    """The renewal comes in the background when a fifth is left, again and again."""
    phone.page.clock.install()
    frame = logged_in(phone)
    frame.evaluate("void (window.mark = 1)")
    for number in (2, 3):
        phone.page.clock.run_for(23_000)
        assert len(phone.server.posts) == number - 1
        with phone.page.expect_response("**/miniapp/session"):
            phone.page.clock.run_for(1_500)
        assert len(phone.server.posts) == number
    assert frame.evaluate("mark") == 1


def test_a_login_with_little_left_is_renewed_at_once(phone):
    """What is left of a login counts, not when the page was loaded."""
    logged_in(phone)
    phone.server.left = 10
    with phone.page.expect_response("**/miniapp/session"):
        phone.frame.goto(f"{phone.server.origin}/?again")
    assert len(phone.server.posts) == 2


@pytest.mark.parametrize("lifetime", [30])
def test_a_renewal_that_fails_is_tried_again_in_silence(phone):
    """A server that is down for a moment disturbs no user: back-off, then success."""
    phone.page.clock.install()
    frame = logged_in(phone)
    phone.server.refusals = [phone.server.refusal(503), phone.server.refusal(503)]
    for wait in (24_100, 1_100, 2_100):
        with phone.page.expect_response("**/miniapp/session"):
            phone.page.clock.run_for(wait)
        frame.evaluate("new Promise((done) => queueMicrotask(done))")
    assert len(phone.server.posts) == 4
    assert frame.evaluate("document.querySelector('h1').textContent") == "alice@onechat.localhost"


@pytest.mark.parametrize("lifetime", [30])
def test_a_renewal_that_is_refused_dispatches_signedout(phone):
    """The page is told that the session is over, and stays."""
    phone.page.clock.install()
    frame = logged_in(phone)
    phone.server.refusals = [phone.server.refusal(401)]
    phone.page.clock.run_for(24_100)
    until(frame, "document.title === 'signed out'")
    phone.page.clock.run_for(120_000)
    assert len(phone.server.posts) == 2


@pytest.mark.parametrize("lifetime", [30])
def test_a_phone_that_slept_renews_when_it_wakes(phone):
    """An overdue renewal is made up for when the page is seen again."""
    frame = logged_in(phone)
    # the clock has gone on, the timers have not
    frame.evaluate("(now) => { Date.now = () => now + 25000; }", frame.evaluate("Date.now()"))
    with phone.page.expect_response("**/miniapp/session"):
        frame.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(phone.server.posts) == 2


# --- the host's events ---


def test_new_launch_data_renew_the_login(phone):
    """`launch` with another session of the same user logs in with it, without a reload."""
    frame = logged_in(phone)
    frame.evaluate("void (window.mark = 1)")
    with phone.page.expect_response("**/miniapp/session"):
        phone.page.evaluate("(data) => port.postMessage({ event: 'launch', data })", phone.data(sessionId="s-alice-02"))
    assert phone.server.posts[-1]["sessionId"] == "s-alice-02"
    assert frame.evaluate("[OC.app.session, mark]") == ["s-alice-02", 1]


def test_launch_data_of_another_user_load_their_page(phone):
    """`launch` with another user logs in as them and loads the page again."""
    logged_in(phone)
    phone.page.evaluate("(data) => port.postMessage({ event: 'launch', data })", phone.data("bob"))
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("bob@onechat.localhost")


def test_a_new_session_mends_the_401_page(phone):
    """The message of a refused session goes away when the host launches with a good one."""
    phone.open("/", phone.data(sessionId="s-unknown-1"))
    expect(phone.page.frame_locator("iframe").locator("output")).to_have_text("The server says 401.")
    phone.page.wait_for_function("() => port")
    phone.page.evaluate("(data) => port.postMessage({ event: 'launch', data })", phone.data())
    expect(phone.page.frame_locator("iframe").locator("h1")).to_have_text("alice@onechat.localhost")


def test_reload_loads_the_page_again(phone):
    """`reload` is what `miniapp dev` sends when the code has changed."""
    logged_in(phone)
    with phone.page.expect_response(f"{phone.server.origin}/"):
        phone.page.evaluate("port.postMessage({ event: 'reload' })")


# --- OC.app ---

ME = "OC.app.fetch('/api/me', { method: 'POST', body: 'x' }).then((r) => r.text().then((text) => [r.status, text]))"


def test_fetch_signs_in_once_on_401_and_repeats_once(phone):
    """Calls that meet a 401 share one login and are repeated with their bodies."""
    frame = phone.open()
    answers = frame.evaluate(f"Promise.all([{ME}, {ME}, {ME}])")
    assert [status for status, _ in answers] == [200] * 3
    assert '"body":"x"' in answers[0][1]
    assert len(phone.server.posts) == 1
    assert [status for _, path, status in phone.server.seen if path == "/api/me"].count(401) == 3


def test_fetch_works_without_cookies(phone):
    """On a page without a login fetch() asks for the bearer."""
    phone.server.cookies = False
    frame = phone.open()
    assert frame.evaluate(ME)[0] == 200
    assert frame.evaluate(ME)[0] == 200
    assert len(phone.server.posts) == 1


def test_fetch_says_why_there_is_no_login(phone):
    """Where the session is refused, fetch() rejects with signed_out."""
    frame = phone.open(data=phone.data(sessionId="s-unknown-1"))
    assert frame.evaluate(f"{ME}.catch((e) => e.code)") == "signed_out"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "//evil.localhost/", "data:,x", "http://[", "javascript:1"])
def test_fetch_goes_to_its_own_origin_alone(url, phone):
    """Another origin is refused before anything is sent."""
    frame = phone.open()
    assert frame.evaluate("(url) => OC.app.fetch(url).catch((e) => e.code)", url) == "bad_argument"


def test_fetch_does_not_follow_a_redirect_to_another_origin(phone):
    """A redirect can't take the login to another server, even one that lets all origins read."""
    asked = []

    def other():
        asked.append(request.headers.get("Authorization"))
        return Response("{}", headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"})

    def make(_port):
        app = Flask("other")
        app.add_url_rule("/", "other", other, methods=["GET", "OPTIONS"])
        return app

    phone.server.reach = "*"
    with serving(make) as (_, port):
        phone.server.away = f"http://other.localhost:{port}/"
        frame = phone.open()
        assert frame.evaluate("OC.app.fetch('/away').catch((e) => e.code)") == "unreachable"
    assert asked == []


def test_fetch_can_be_aborted(phone):
    """A page's own abort stays what fetch() makes of it."""
    frame = phone.open()
    code = """() => {
      const stop = new AbortController();
      stop.abort();
      return OC.app.fetch("/api/me", { signal: stop.signal }).catch((error) => error.name);
    }"""
    assert frame.evaluate(code) == "AbortError"


def test_sign_out_lasts_until_sign_in(phone):
    """After signOut() nothing logs in by itself; signIn() does."""
    frame = logged_in(phone)
    frame.evaluate("OC.app.signOut()")
    assert frame.evaluate(ME)[0] == 401
    assert len(phone.server.posts) == 1
    assert frame.evaluate("OC.app.signIn().then((app) => app === OC.app)")
    assert frame.evaluate(ME)[0] == 200


def test_the_script_twice_in_a_page_is_one_shim(phone):
    """A page that loads the script twice has one bridge and one handshake."""
    frame = phone.open()
    frame.evaluate("OC.app.ready")
    frame.evaluate("void (window.before = OC)")
    url = phone.server.shim.url
    frame.evaluate(
        "(url) => new Promise((done) => { const s = document.createElement('script'); s.src = url;"
        " s.nonce = document.querySelector('script').nonce; s.onload = done; document.body.append(s); })",
        url,
    )
    assert frame.evaluate("OC === before && OC.app.session") == "s-alice-01"
    assert len(phone.page.evaluate("connects")) == 1
