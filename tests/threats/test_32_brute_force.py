"""32. The login could be used to guess sessions, or to flood the host."""

from concurrent.futures import ThreadPoolExecutor

from miniapp.login import verifier
from support.apps import create_app, sign_in, spy_on


def test_1000_guesses_are_at_most_20_calls(onechat, alice):
    """After 20 refusals a JID and an address have to wait, with Retry-After."""
    app = create_app(onechat.config)
    spy = spy_on(app, onechat)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: sign_in(app.test_client(), alice, f"s-guess-{n:08}"), range(1000)))
    assert spy.count("authenticateUser") <= 20
    assert {answer.status_code for answer in answers} == {401, 429}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


def test_one_address_cannot_go_on_with_other_jids(onechat):
    """Guesses for many JIDs from one address end as well."""
    app = create_app(onechat.config)
    spy = spy_on(app, onechat)
    for n in range(100):
        sign_in(app.test_client(), f"user{n}@onechat.localhost", "s-guess-00000000")
    assert spy.count("authenticateUser") <= 20


def test_guesses_do_not_lock_out_who_is_in(onechat, alice):
    """A user who is logged in renews while others guess at their JID."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    inside = app.test_client()
    sign_in(inside, alice, onechat.session(alice))
    for n in range(30):
        answer = sign_in(app.test_client(), alice, f"s-guess-{n:08}")
    assert answer.status_code == 429
    assert sign_in(inside, alice, onechat.session(alice)).status_code == 204


def test_the_count_starts_again(onechat, alice, monkeypatch):
    """After the window the user gets in again."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    for n in range(21):
        answer = sign_in(app.test_client(), alice, f"s-guess-{n:08}")
    assert answer.status_code == 429
    now = verifier.time.monotonic()
    monkeypatch.setattr(verifier.time, "monotonic", lambda: now + verifier.WINDOW + 1)
    assert sign_in(app.test_client(), alice, onechat.session(alice)).status_code == 204
