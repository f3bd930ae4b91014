"""4. One user's session could be presented with another's JID."""

from support.apps import create_app, sign_in, spy_on


def test_a_session_is_good_for_its_own_jid_alone(onechat, alice, bob):
    """Alice's session with Bob's JID is refused; other spellings of Alice are Alice."""
    app = create_app(onechat.config)
    spy_on(app, onechat)
    session_id = onechat.session(alice)
    assert sign_in(app.test_client(), bob, session_id).status_code == 401
    for spelling in (alice.jid.upper(), f"{alice.jid}/phone", alice.jid + "."):
        client = app.test_client()
        assert sign_in(client, spelling, session_id).status_code == 204
        assert client.get("/plain").text == alice.jid


def test_a_login_of_one_app_is_nothing_to_another(onechat, alice):
    """Two apps with one SECRET_KEY do not take each other's cookies or bearers."""
    app_id, api_key = onechat.register("Another app")
    one = create_app(onechat.config)
    two = create_app({**onechat.config, "ONECHAT_APP_ID": app_id, "ONECHAT_API_KEY": api_key})
    spy_on(one, onechat)
    client = one.test_client(use_cookies=False)
    cookie = sign_in(client, alice, onechat.session(alice)).headers["Set-Cookie"].split(";")[0]
    bearer = sign_in(client, alice, onechat.session(alice), bearer=True).json["bearer"]
    for headers in ({"Cookie": cookie}, {"Authorization": f"Bearer {bearer}"}):
        assert client.get("/", headers=headers).status_code == 200
        assert two.test_client(use_cookies=False).get("/", headers=headers).status_code == 401
