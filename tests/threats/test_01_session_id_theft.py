"""1. A session ID could be read where we leave it."""

import logging
import secrets

from support.apps import PAGE, create_app, sign_in, spy_on


def test_the_session_id_is_nowhere_on_our_side(onechat, alice, caplog, tmp_path):
    """After good and failed logins the ID is in no log, cookie, page, header, error or attribute of ours."""
    caplog.set_level(logging.DEBUG)
    app = create_app(onechat.config)
    spy_on(app, onechat)
    client = app.test_client()
    good, bad = onechat.session(alice), secrets.token_urlsafe(24)
    answers = [sign_in(client, alice, good), client.get("/"), client.get("/miniapp/oc.js")]
    answers += [sign_in(client, alice, bad), sign_in(client, "nonsense", bad), client.get("/", headers=PAGE)]
    onechat.fail("authenticateUser", 1, "html")
    answers.append(sign_in(client, alice, onechat.session(alice)))
    told = caplog.text + "".join(f"{answer.headers}{answer.text}{answer.request.url}" for answer in answers)
    state = app.extensions["miniapp"]
    told += repr(vars(state.verifier)) + repr(state.settings) + repr(state.client)
    assert answers[0].status_code == 204
    assert answers[3].status_code == 401
    for canary in (good, bad):
        assert canary not in told
