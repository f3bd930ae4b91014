"""Threat 33, path traversal: the chat plugin's files are all that its address gives away, and all that it loads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from miniapp.sandbox import SandboxConfig, create_sandbox, sandbox_of


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = create_sandbox(SandboxConfig(xmpp="off"))
    yield app.test_client()
    sandbox_of(app).close()


@pytest.mark.parametrize(
    "path",
    [
        "../host.js",
        "../../portal.js",
        "..%2fhost.js",
        "%2e%2e/host.js",
        "locale/../../host.js",
        "/etc/passwd",
        "//etc/passwd",
        "..\\host.js",
        "ocwp.js\0.json",
        "locale",
        "",
    ],
)
def test_no_path_leads_out_of_the_plugins_files(client: FlaskClient, path: str) -> None:
    """Whatever is asked for below /ocwp/, nothing but the plugin's own files is answered."""
    environ = EnvironBuilder(base_url="http://onechat.localhost").get_environ()
    environ["PATH_INFO"] = f"/ocwp/{path}"
    answer = client.open(environ_overrides=environ, base_url="http://onechat.localhost")
    assert answer.status_code in (308, 404), answer.status_code
    answer.close()
