"""26. Many first requests could become as many calls to the host."""

import threading
from concurrent.futures import ThreadPoolExecutor

from support.apps import create_app, sign_in, spy_on


def test_200_logins_with_one_session_are_one_call(onechat, alice):
    """Requests that arrive together share one call, and those right behind share its answer."""
    app = create_app(onechat.config)
    spy = spy_on(app, onechat)
    session_id = onechat.session(alice)
    together = threading.Barrier(20)

    def log_in(_):
        together.wait()
        return sign_in(app.test_client(), alice, session_id).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(log_in, range(200))) == {204}
    assert spy.count("authenticateUser") == 1


def test_200_logins_with_a_bad_session_are_one_call(onechat, alice):
    """A refusal is remembered too, for five seconds."""
    app = create_app(onechat.config)
    spy = spy_on(app, onechat)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: sign_in(app.test_client(), alice, "s-unknown-session"), range(200)))
    assert {answer.status_code for answer in answers} == {401}
    assert spy.count("authenticateUser") == 1


def test_a_host_that_fails_is_asked_again_by_the_next(onechat, alice):
    """An answer that never came is not remembered."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    session_id = onechat.session(alice)
    onechat.fail("authenticateUser", 3, "html")  # the client tries three times by itself
    assert sign_in(app.test_client(), alice, session_id).status_code == 503
    assert sign_in(app.test_client(), alice, session_id).status_code == 204
