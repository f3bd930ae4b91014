"""Threat 6: authenticateUser is sent to registerMiniApp, as OneChat's page prints it, and its answer taken for yes."""

import logging

import pytest

from support.apps import create_app, sign_in
from support.calls import APP_ID, KEY, SESSION, USER
from support.faulthost import SUCCESS, FaultHost, answer


@pytest.mark.parametrize("extra", [{}, {"isAuthenticated": True}])
@pytest.mark.parametrize("field", ["appId", "apiKey", "both"])
def test_an_answer_of_registration_logs_no_user_in(
    field: str, extra: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    """An answer with an app ID or API key is a registration's: 401, a warning that names the setting, no key in it."""
    caplog.set_level(logging.DEBUG)
    given = {"appId": "canary-new-id", "apiKey": "canary-new-key"}
    keys = given if field == "both" else {field: given[field]}
    with FaultHost(answer(200, {**SUCCESS, **keys, **extra})) as host:
        config = {"ONECHAT_API_URL": host.url, "ONECHAT_APP_ID": APP_ID, "ONECHAT_API_KEY": KEY}
        app = create_app({**config, "SECRET_KEY": "a-key-that-signs-nothing-outside-of-tests"})
        with app.extensions["miniapp"].client, app.test_client() as browser:
            response = sign_in(browser, USER, SESSION)
    assert response.status_code == 401
    assert "canary" not in caplog.text
    assert "canary" not in response.get_data(as_text=True)
    assert "ONECHAT_AUTHENTICATE_PATH" in caplog.text
