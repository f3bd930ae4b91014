"""2. A cookie set before the login could be the attacker's after it."""

from itsdangerous import URLSafeSerializer

from support.apps import ORIGIN, create_app, sign_in, spy_on


def test_what_was_set_before_the_login_is_worth_nothing_after_it(onechat, alice, bob):
    """The login makes a new cookie and clears the app's session; a cookie made elsewhere is no login."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    login = app.extensions["miniapp"].logins.cookie.name
    forged = URLSafeSerializer("guess", salt="miniapp.login").dumps([alice.jid, 2**40, "x"])
    attacker = app.test_client()
    sign_in(attacker, bob, onechat.session(bob))
    attacker.post("/note", json={"note": "planted"}, headers=ORIGIN)
    session = attacker.get_cookie("session")
    victim = app.test_client()
    victim.set_cookie("session", session.value)
    victim.set_cookie(login, forged)
    assert victim.get("/").status_code == 401
    assert sign_in(victim, alice, onechat.session(alice)).status_code == 204
    assert victim.get_cookie(login).value != forged
    assert victim.get("/note").json is None
    victim.set_cookie(login, forged)
    assert victim.get("/").status_code == 401
