"""Threat 22: an API key that ends its header and begins another."""

import pytest

from miniapp.errors import ConfigurationError
from miniapp.settings import Secret, Settings
from support.calls import APP_ID, CALLS, client_of
from support.faulthost import FaultHost

BAD = [
    "canary\r\nX-Evil: 1",
    "canary\0key",
    " canary-key",
    "canary-kéy",
    "canary-key\n",
    "canary\x7fkey",
    "canary",
    "c" * 257,
]


@pytest.mark.parametrize("key", BAD, ids=ascii)
def test_a_key_that_is_no_header_is_refused_at_the_start(key: str) -> None:
    """The settings name the key's setting and the way to mend it, and don't repeat the key."""
    for name in ("ONECHAT_API_KEY", "ONECHAT_APP_ID"):
        good = {"ONECHAT_APP_ID": APP_ID, "ONECHAT_API_KEY": "key-12345678"}
        with pytest.raises(ConfigurationError) as caught:
            Settings.read({**good, name: key})
        assert [problem.key for problem in caught.value.problems] == [name]
        assert "canary" not in str(caught.value) + repr(caught.value.__context__)
        assert "ccc" not in str(caught.value)


@pytest.mark.parametrize("key", BAD, ids=ascii)
def test_nor_does_the_client_send_one_from_settings_made_by_hand(key: str) -> None:
    """Where nothing read the settings, the client itself refuses the key, and sends nothing."""
    with FaultHost() as host, client_of(host.url, api_key=Secret(key)) as client:
        for call in ("massBroadcast", "singleMessage", "groupMessage", "authenticateUser"):
            with pytest.raises(ConfigurationError) as caught:
                CALLS[call](client)
            assert "canary" not in str(caught.value)
    assert host.connections == 0
