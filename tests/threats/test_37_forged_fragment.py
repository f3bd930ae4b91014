"""Threat 37, the shim's part: launch data in a fragment are a claim, which logs no user in."""

from __future__ import annotations

from playwright.sync_api import expect

from support.shim_page import host_origin, lifetime, phone, server, until, variant

__all__ = ["host_origin", "lifetime", "phone", "server", "variant"]

ALICE, BOB = "alice@onechat.localhost", "bob@onechat.localhost"
WHO = "[OC.app.user.jid, OC.app.session, OC.user.getSessionID()]"


def heading(phone):
    return phone.page.frame_locator("iframe").locator("h1")


def posted(phone):
    """The users for whom a login was asked, one for each time."""
    return [post["jid"] for post in phone.server.posts]


def confirmed(phone):
    """The page is ready, and shows the user whom the host page named."""
    phone.frame.evaluate("OC.app.ready")
    assert phone.frame.evaluate(WHO) == [ALICE, "s-alice-01", "s-alice-01"]


def test_a_login_waits_for_the_host_page(phone):
    """A 401 page that was opened with another user's launch data logs in whom the host page names."""
    phone.open("/", phone.data("alice"), claim=phone.data("bob"))
    expect(heading(phone)).to_have_text(ALICE)
    confirmed(phone)
    phone.frame.evaluate("location.reload()")
    phone.page.wait_for_function("() => connects.length === 3")
    expect(heading(phone)).to_have_text(ALICE)
    confirmed(phone)
    assert posted(phone) == [ALICE]


def test_sign_in_waits_for_the_host_page(phone):
    """A page's own signIn(), and a fetch() that meets a 401, wait too."""
    frame = phone.open("/public", phone.data("alice"), claim=phone.data("bob"), mute=True)
    frame.evaluate("void (window.signed = [OC.app.signIn(), OC.app.fetch('/api/me')])")
    phone.page.evaluate("""() => {
      const channel = new MessageChannel();
      const port = { oc: 1, type: "port", id: connects[0].id };
      frame.contentWindow.postMessage(port, new URL(wanted).origin, [channel.port2]);
      channel.port1.postMessage({ event: "launch", data: launch });
    }""")
    assert frame.evaluate("Promise.all(signed).then(([, r]) => r.json()).then((me) => me.jid)") == ALICE
    assert posted(phone) == [ALICE]


def test_a_hash_link_is_nothing(phone):
    """A link on the page to a fragment with launch data changes nothing, now and after a reload."""
    phone.open("/", phone.data("alice"))
    expect(heading(phone)).to_have_text(ALICE)
    fragment = phone.url("/", phone.data("bob")).partition("#")[2]
    phone.frame.evaluate(
        "(hash) => new Promise((done) => { addEventListener('hashchange', done); location.hash = hash; })", fragment
    )
    confirmed(phone)
    phone.frame.evaluate("location.reload()")
    phone.page.wait_for_function("() => connects.length === 3")
    confirmed(phone)
    expect(heading(phone)).to_have_text(ALICE)
    assert posted(phone) == [ALICE]


def test_a_link_to_another_page_is_nothing_and_so_is_the_way_back(phone):
    """A link to another page with launch data of another user logs no other user in; nor do back and forth."""
    phone.open("/", phone.data("alice"))
    expect(heading(phone)).to_have_text(ALICE)
    phone.frame.goto(phone.url("/to/here", phone.data("bob")))
    confirmed(phone)
    for step in ("back", "forward"):
        phone.frame.evaluate(f"void history.{step}()")
        phone.page.wait_for_function("(n) => connects.length >= n", arg=4 if step == "back" else 5)
        until(phone.frame, "window.OC && document.readyState === 'complete'")
        confirmed(phone)
        expect(heading(phone)).to_have_text(ALICE)
    assert posted(phone) == [ALICE]


def test_before_the_host_page_has_spoken_another_users_claim_answers_nothing(phone):
    """In a tab that knows Alice, the synchronous functions never answer for Bob because a link says so."""
    phone.open("/public", phone.data("alice"))
    confirmed(phone)
    phone.page.evaluate("mute = true")
    phone.frame.goto(phone.url("/public?link", phone.data("bob")))
    assert phone.frame.evaluate(WHO) == [None, "", ""]
    assert phone.frame.evaluate("OC.user.getVCard()") == "{}"


def test_what_is_not_confirmed_is_dropped(phone):
    """Where no host page answers, the claim is gone after the handshake's time, and the 401 page says so."""
    phone.page.clock.install()
    frame = phone.open("/", phone.data("bob"), mute=True)
    assert frame.evaluate("OC.app.session") == "s-bob-0001"
    phone.page.clock.run_for(5_100)
    expect(phone.page.frame_locator("iframe").locator("output")).to_have_text("No answer. Try again.")
    assert frame.evaluate("[OC.app.inHost, OC.app.session]") == [False, ""]
    assert phone.server.posts == []
    # a host page that was late is asked again
    phone.page.evaluate("mute = false")
    phone.page.frame_locator("iframe").get_by_role("button", name="Try again").click()
    expect(heading(phone)).to_have_text(BOB)
    assert posted(phone) == [BOB]
