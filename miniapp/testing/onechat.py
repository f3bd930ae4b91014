"""What the fixtures hand out: a OneChat to test against."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from .controls import Controls, settings_for

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask


@dataclass(frozen=True)
class Person:
    """Describe a user of the OneChat under test. `avatar` is a URL, `str()` the JID."""

    jid: str
    name: str
    avatar: str = ""
    admin: bool = False

    def __str__(self) -> str:
        return self.jid


class WSGIAdapter(HTTPAdapter):
    """Lets `requests` call a WSGI application in this process, as if it were behind a network."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer the request by the WSGI app, in this process."""
        from werkzeug.test import Client, EnvironBuilder

        url = urlsplit(str(request.url))
        body = request.body or b""
        builder = EnvironBuilder(
            url.path,
            base_url=f"{url.scheme}://{url.netloc}",
            query_string=url.query,
            method=request.method or "GET",
            headers=[(str(key), str(value)) for key, value in request.headers.items()],
            data=body.encode() if isinstance(body, str) else body,
        )
        try:
            answer = Client(self.app, use_cookies=False).open(builder, buffered=True)
        except TimeoutError as error:  # the sandbox was told to let this call hang, or to reset its connection
            raise requests.ReadTimeout(str(error), request=request) from None
        except OSError as error:
            raise requests.ConnectionError(str(error), request=request) from None
        raw = HTTPResponse(
            body=io.BytesIO(answer.get_data()),
            headers=HTTPHeaderDict(answer.headers.items()),
            status=answer.status_code,
            reason=answer.status.partition(" ")[2],
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, raw)


class LocalOneChat:
    """Control the sandbox of one test: a fresh store, one approved app, seeded users.

    `config` has the settings of the app under test; `connect(app)` makes the app's calls arrive here. `users` maps the
    part before @ to the `Person`, `admin` is the one who may register apps, `domain` their domain. A method takes a
    user as `Person` or as JID. `controls.call` makes any other call of `docs/protocol.md`.
    """

    def __init__(self, controls: Controls, adapter: WSGIAdapter | None = None) -> None:
        self.controls = controls
        self._adapter = adapter
        state = controls.state()
        self.domain: str = state["domain"]
        self.users: dict[str, Person] = {
            user["jid"].partition("@")[0]: Person(user["jid"], user["name"], user["avatar"], user["admin"])
            for user in state["users"]
        }
        self.admin = next(user for user in self.users.values() if user.admin)
        self.app_id, api_key = self.register("App under test")
        self.config: dict[str, Any] = self.settings(self.app_id, api_key)

    @property
    def url(self) -> str:
        """The sandbox's own address."""
        return self.controls.url

    @property
    def alice(self) -> Person:
        """The user alice."""
        return self.users["alice"]

    @property
    def bob(self) -> Person:
        """The user bob."""
        return self.users["bob"]

    def settings(self, app_id: str, api_key: str) -> dict[str, Any]:
        """Return the settings for an app with this app ID and API key: `ONECHAT_*`, and a random SECRET_KEY."""
        settings = settings_for(
            self.url, domain=self.domain, app_id=app_id, api_key=api_key, public_url="http://localhost"
        )
        return {"SECRET_KEY": secrets.token_urlsafe(32), **settings}

    def register(self, name: str, url: str = "http://localhost/") -> tuple[str, str]:
        """Register and approve one more app. Return its app ID and API key."""
        app = self.controls.add_app(name=name, icon=url + "static/icon.svg", url=url, admin=self.admin.jid)
        return app["appId"], app["apiKey"]

    def connect(self, app: Flask) -> Flask:
        """Make the calls of `app` arrive at this sandbox. Return `app`."""
        if self._adapter is not None:
            app.extensions["miniapp"].client.session.mount(self.url, self._adapter)
        return app

    def session(self, user: Person | str, *, app_id: str | None = None) -> str:
        """Return a new session ID of `user`, good for every app unless `app_id` is given."""
        body = {"jid": str(user)} | ({"appId": app_id} if app_id else {})
        return str(self.controls.call("POST", "/_sandbox/sessions", body)["sessionId"])

    def expire(self, user: Person | str) -> int:
        """End the lifetime of all sessions of `user`. Return how many."""
        return int(self.controls.call("POST", "/_sandbox/sessions/expire", {"jid": str(user)})["count"])

    def revoke(self, user: Person | str) -> int:
        """Revoke all sessions of `user`. Return how many."""
        return int(self.controls.call("POST", "/_sandbox/sessions/revoke", {"jid": str(user)})["count"])

    def fail(self, call: str, times: int = 1, how: str | Mapping[str, Any] = "error") -> None:
        """Make the next `times` calls of the REST call `call`, such as `singleMessage`, fail.

        `how` is `error` (refused), `busy` (429), `html` (nonsense), `reset` (cut off), `hang` (a read time-out), or a
        mapping such as `{"status": 503, "body": "…"}`.
        """
        how = how if isinstance(how, str) else dict(how)
        self.controls.call("POST", "/_sandbox/fail", {"call": call, "times": times, "how": how})

    def sent(self, call: str | None = None) -> list[dict[str, Any]]:
        """Return what the REST API accepted, of `call` or of all calls, oldest first.

        Each is a dictionary with `call`, `appId`, `to` (a JID or domain), `text` and `at` (ISO 8601, UTC).
        """
        return list(self.controls.call("GET", "/_sandbox/sent", call=call))

    def messages(self, user: Person | str) -> list[dict[str, Any]]:
        """Return every message on the phone of `user`, oldest first.

        Each is a dictionary with `id`, `kind` (`direct`, `group` or `alert`), `thread`, `from` (`jid`, `name`), `to`,
        `text` and `at` (ISO 8601, UTC).
        """
        phone = f"/phones/{quote(str(user), safe='@')}"
        found = [
            message
            for thread in self.controls.call("GET", f"{phone}/threads")
            for message in self.controls.call("GET", f"{phone}/messages", thread=thread["id"])
        ]
        return sorted(found, key=lambda message: int(message["id"]))


REAL_SETTINGS = ("APP_ID", "API_KEY", "JID", "SESSION_ID")
"""What the environment must have, each after `ONECHAT_VERIFY_`, for `host_verified` tests to meet a real host."""


class RealOneChat:
    """A real OneChat, as `ONECHAT_VERIFY_*` in the environment describe it. It has no controls.

    A name of its own, not `ONECHAT_*`: whoever has a mini app's settings in the environment must not send real
    messages by running its tests.
    """

    def __init__(self) -> None:
        def setting(name: str, default: str = "") -> str:
            return os.environ.get("ONECHAT_VERIFY_" + name, default)

        self.alice = Person(setting("JID"), setting("NAME", "Alice"))
        self.bob = Person(setting("OTHER_JID", self.alice.jid), "Bob")
        self.users = {"alice": self.alice, "bob": self.bob}
        self.domain = self.alice.jid.partition("@")[2]
        self.app_id = setting("APP_ID")
        self._session_id = setting("SESSION_ID")
        self.config: dict[str, Any] = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "ONECHAT_APP_ID": self.app_id,
            "ONECHAT_API_KEY": setting("API_KEY"),
            "ONECHAT_DOMAIN": self.domain,
        } | {"ONECHAT_" + name: setting(name) for name in ("API_URL", "AUTHENTICATE_PATH", "BODY") if setting(name)}

    def connect(self, app: Flask) -> Flask:
        """Nothing to do: the calls of `app` go out by themselves; returns `app`."""
        return app

    def session(self, user: Person | str) -> str:
        """Return the session ID of the one user there is."""
        if str(user) != self.alice.jid:
            pytest.skip("Only ONECHAT_VERIFY_JID has a session ID on the real OneChat.")
        return self._session_id

    def __getattr__(self, name: str) -> Any:
        if name in vars(LocalOneChat):
            pytest.skip(f"A real OneChat can't do `{name}`.")
        raise AttributeError(name)


def real_settings_present() -> bool:
    """Return whether the environment describes a real OneChat."""
    return all(os.environ.get("ONECHAT_VERIFY_" + name) for name in REAL_SETTINGS)
