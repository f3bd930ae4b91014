"""23. One user's answer could be served to another, by a cache of ours or one on the way."""

import random

from support.apps import create_app, sign_in, spy_on


def test_two_users_at_two_apps_are_never_mixed_up(onechat, alice, bob):
    """1,000 interleaved requests of two users at two apps each see their own user, with wrong pairs in between."""
    app_id, api_key = onechat.register("Another app")
    apps = [
        create_app(onechat.config),
        create_app({**onechat.config, "ONECHAT_APP_ID": app_id, "ONECHAT_API_KEY": api_key}),
    ]
    clients = []
    for app in apps:
        spy_on(app, onechat)
        for user, other in ((alice, bob), (bob, alice)):
            client = app.test_client()
            session_id = onechat.session(user)
            assert sign_in(client, user, session_id).status_code == 204
            assert sign_in(app.test_client(), other, session_id).status_code == 401
            clients.append((client, user))
    chance = random.Random(23)
    for _ in range(1000):
        client, user = chance.choice(clients)
        answer = client.get("/plain")
        assert answer.text == user.jid
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Cookie" in answer.vary


def test_digests_of_different_pairs_differ(onechat):
    """No two pairs share an entry, however their texts are cut."""
    verifier = create_app(onechat.config).extensions["miniapp"].verifier
    pairs = [("a@b", "cd"), ("a@bc", "d"), ("a@b", "c"), ("", "a@bcd")]
    assert len({verifier.digest(*pair) for pair in pairs}) == len(pairs)
