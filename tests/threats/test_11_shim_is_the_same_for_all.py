"""Row 11: cross-site script inclusion. The shim's part: it is the same for all users, and not for other sites."""

from __future__ import annotations

from support.apps import create_app


def test_two_users_and_a_stranger_get_the_same_bytes(onechat, login, alice, bob):
    """The script has nothing of the user who asks for it."""
    app = create_app(onechat.config)
    onechat.connect(app)
    clients = [app.test_client(), login(app, alice), login(app, bob)]
    for path in ("/miniapp/oc.js", "/miniapp/oc.d.ts"):
        answers = [client.get(path) for client in clients]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.data for answer in answers}) == 1
        assert all(user.jid.encode() not in answers[0].data for user in (alice, bob))


def test_another_site_cannot_load_it(onechat):
    """A browser keeps the script from pages of other sites, and reads it as nothing but a script."""
    answer = create_app(onechat.config).test_client().get("/miniapp/oc.js", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers
