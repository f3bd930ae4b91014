"""18. A link to us could lead elsewhere."""

import pytest
from apps import PAGE, create_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def check(client, target):
    for path in ("/", "/public", "/miniapp/oc.js", "/healthz", "/miniapp/session"):
        for name in ("next", "url", "redirect", "return_to"):
            answer = client.get(path, query_string={name: target}, headers=PAGE)
            assert not 300 <= answer.status_code < 400
            assert "Location" not in answer.headers
            assert "evil" not in answer.text


@pytest.mark.parametrize("target", TARGETS)
def test_no_route_redirects_where_a_parameter_says(target, onechat):
    """The login needs no redirect: the shim loads the same page again, and no parameter has a say."""
    check(create_app(onechat.config).test_client(), target)


def test_no_route_redirects_whatever_the_parameter(onechat, record_property):
    """The same with generated texts."""
    client = create_app(onechat.config).test_client()
    targets = []

    @settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.text())
    def generated(target):
        targets.append(target)
        check(client, target + "evil")

    generated()
    record_property("generated", len(targets))
