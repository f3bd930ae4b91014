"""18. A link to us could lead elsewhere."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.apps import PAGE, create_app

TARGETS = (
    "//evil.com",
    "/\t/evil.com",
    "/\\evil.com",
    "\\\\evil.com",
    "https://evil.com",
    "https:evil.com",
    "http:///evil.com",
    "/%09/evil.com",
    "/%5cevil.com",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.com",
    "/\r\nLocation: //evil.com",
    "///evil.com",
    "/.//evil.com",
    "@evil.com",
)


PATHS = ("/", "/public", "/miniapp/oc.js", "/healthz", "/miniapp/session")
NAMES = ("next", "url", "redirect", "return_to")
BREAKING = st.text("/\\\t\r\n\0@:%?#. ht", max_size=8)
"""What parsers of addresses disagree about."""


def check(client, path, name, target):
    answer = client.get(path, query_string={name: target}, headers=PAGE)
    assert not 300 <= answer.status_code < 400
    assert "Location" not in answer.headers
    assert "evil" not in answer.text


@pytest.mark.parametrize("target", TARGETS)
def test_no_route_redirects_where_a_parameter_says(target, onechat):
    """The login needs no redirect: the shim loads the same page again, and no parameter has a say."""
    client = create_app(onechat.config).test_client()
    for path in PATHS:
        for name in NAMES:
            check(client, path, name, target)


def test_no_route_redirects_whatever_the_parameter(onechat, record_property):
    """The same with generated texts, before a host and after it."""
    client = create_app(onechat.config).test_client()
    targets = []

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.sampled_from(PATHS), st.sampled_from(NAMES), BREAKING, st.text())
    def generated(path, name, before, after):
        targets.append(before)
        check(client, path, name, f"{before}evil.com{after}")

    generated()
    record_property("generated", len(targets))
