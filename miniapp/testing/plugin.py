"""The pytest plugin: a OneChat for the tests of a mini app.

pytest loads it wherever the package is installed, so nothing but pytest is imported until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from .onechat import LocalOneChat, Person, RealOneChat

IN_PROCESS_URL = "http://onechat.localhost"
"""Where the in-process sandbox seems to be; nothing listens there."""


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker `host_verified`."""
    config.addinivalue_line(
        "markers", "host_verified: runs against a real OneChat too, when its settings are in the environment"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `host_verified` against a real OneChat too, if the environment describes one."""
    if "onechat_server" in metafunc.fixturenames and metafunc.definition.get_closest_marker("host_verified"):
        from .onechat import real_settings_present

        hosts = ["sandbox", "real"] if real_settings_present() else ["sandbox"]
        metafunc.parametrize("onechat_server", hosts, indirect=True)


def _sandbox(name: str) -> Any:
    """Return the sandbox's module `name`, or a failure that says how to get it."""
    import importlib

    try:
        return importlib.import_module(f"miniapp.sandbox.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("miniapp"):
            raise
        pytest.fail(
            f"The OneChat fixtures need the sandbox ({error.name} is missing): pip install 'onechat-miniapp[testing]'",
            pytrace=False,
        )


@pytest.fixture(name="onechat")  # by that name the module `onechat` below would hide it, once it is imported
def _onechat() -> Iterator[LocalOneChat]:
    """Yield a `LocalOneChat` in this process, fresh for each test: no port, no clean-up, about 40 ms."""
    import secrets
    from contextlib import closing

    import requests

    from .controls import Controls
    from .onechat import LocalOneChat, WSGIAdapter

    token = secrets.token_urlsafe(16)
    config = _sandbox("config").SandboxConfig(token=token)
    app = _sandbox("web.app").create_sandbox(config)
    with closing(_sandbox("web.state").sandbox_of(app)), requests.Session() as session:
        adapter = WSGIAdapter(app)
        session.mount(IN_PROCESS_URL, adapter)
        yield LocalOneChat(Controls(IN_PROCESS_URL, token, session=session), adapter)


@pytest.fixture
def onechat_server(request: pytest.FixtureRequest) -> Iterator[LocalOneChat | RealOneChat]:
    """Yield a `LocalOneChat` on a port of 127.0.0.1, fresh for each test: for browsers and other processes.

    A test marked `host_verified` runs once more with the real OneChat that `ONECHAT_VERIFY_*` in the environment
    describe.
    """
    from .onechat import LocalOneChat, RealOneChat

    if getattr(request, "param", "sandbox") == "real":
        yield RealOneChat()
        return
    server = _sandbox("server")
    import requests

    from .controls import Controls

    with server.SandboxServer(_sandbox("config").SandboxConfig()) as running, requests.Session() as session:
        yield LocalOneChat(Controls(running.url, running.token, session=session))


@pytest.fixture
def _host(request: pytest.FixtureRequest) -> LocalOneChat | RealOneChat:
    """Return the OneChat that the test uses: the one on a port if it asked for that, else the one in this process."""
    chosen = "onechat_server" if "onechat_server" in request.fixturenames else "onechat"
    host: LocalOneChat | RealOneChat = request.getfixturevalue(chosen)
    return host


@pytest.fixture
def alice(_host: LocalOneChat | RealOneChat) -> Person:
    """Return the user alice, a `Person`, of `onechat_server` if the test uses that, else of `onechat`."""
    return _host.alice


@pytest.fixture
def bob(_host: LocalOneChat | RealOneChat) -> Person:
    """Return the user bob, a `Person`, of `onechat_server` if the test uses that, else of `onechat`."""
    return _host.bob


@pytest.fixture
def login(_host: LocalOneChat | RealOneChat) -> Callable[[Flask, Person | str], FlaskClient]:
    """Return `login(app, user)`, which logs `user` in by `POST /miniapp/session` and returns a test client of `app`.

    It connects `app` to the OneChat of the test. The client sends `Origin` and `Sec-Fetch-Site` as a browser does on
    the app's own pages. The test fails if OneChat refuses the login.
    """

    def log_in(app: Flask, user: Person | str) -> FlaskClient:
        _host.connect(app)
        client = app.test_client()
        # As a browser does for a page of the app's own; the test client believes to be at http://localhost.
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        prefix = app.extensions["miniapp"].settings.url_prefix
        answer = client.post(f"{prefix}/session", json={"jid": str(user), "sessionId": _host.session(user)})
        if answer.status_code != 204:
            pytest.fail(f"Login of {user} failed with {answer.status}: {answer.get_data(as_text=True)}")
        return client

    return log_in
