"""A client of a running sandbox's controls, and the settings that bind an app to that sandbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from .. import contract
from ..errors import Code, MiniAppError

TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 - the name of a header

# The sandbox is on this machine and answers in milliseconds; a call that takes this long will never end.
TIMEOUT = 30.0


def settings_for(url: str, *, domain: str, app_id: str, api_key: str, public_url: str) -> dict[str, str]:
    """Return the `ONECHAT_*` settings that bind an app to the sandbox at `url`.

    Every setting that says which OneChat to call, as what, or how is here, so that nothing of a real OneChat is left
    to the environment or to `.env`. `public_url` is the app's own.
    """
    return {
        "ONECHAT_API_URL": url.rstrip("/") + contract.API_PATH,
        "ONECHAT_AUTHENTICATE_PATH": "authenticateUser",
        "ONECHAT_BODY": "json",
        "ONECHAT_DOMAIN": domain,
        "ONECHAT_APP_ID": app_id,
        "ONECHAT_API_KEY": api_key,
        "ONECHAT_CONTAINER_ORIGINS": browser_url(url),
        "ONECHAT_COOKIE": "lax",
        "ONECHAT_PUBLIC_URL": public_url,
        "ONECHAT_TRUST_ENV": "0",
    }


def browser_url(url: str) -> str:
    """Return the origin at which browsers open the sandbox at `url`: same site as the phones' frames, on loopback.

    Only browsers know `*.localhost` by themselves, so Python calls `url`.
    """
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        return url
    host = "onechat.localhost" + (f":{parts.port}" if parts.port else "")
    return urlunsplit((parts.scheme, host, "", "", ""))


class Controls:
    """Call the controls of a running sandbox: `/_sandbox/*` and `/phones/*` (docs/protocol.md).

    `url` is the sandbox's address, `token` the one that its banner shows.
    """

    def __init__(self, url: str, token: str, *, session: requests.Session | None = None) -> None:
        self.url = url.rstrip("/")
        self.session = session or requests.Session()
        self.session.trust_env = False  # a proxy could not reach this machine's loopback
        self._token = token

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """Make one call and return the answer's JSON, or None without one.

        `path` begins with `/_sandbox/` or `/phones/`; `query` values that are None are left out. Raises `MiniAppError`
        with the sandbox's own code and words, or `sandbox_unreachable` after 30 s.
        """
        try:
            answer = self.session.request(
                method,
                self.url + path,
                json=body,
                params={key: value for key, value in query.items() if value is not None},
                headers={TOKEN_HEADER: self._token},
                timeout=TIMEOUT,
            )
        except requests.RequestException as error:
            raise MiniAppError(
                f"The sandbox at {self.url} does not answer ({type(error).__name__}).",
                hint="Is `miniapp sandbox` or `miniapp dev` running?",
                code=Code.SANDBOX_UNREACHABLE,
            ) from None
        if not answer.ok:
            raise _refusal(method, path, answer)
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        """Return users, groups, apps, sessions and options."""
        state: dict[str, Any] = self.call("GET", "/_sandbox/state")
        return state

    def add_app(self, *, name: str, icon: str, url: str, admin: str) -> dict[str, Any]:
        """Register and approve an app. Return its object with `apiKey`, which is shown only once."""
        app: dict[str, Any] = self.call(
            "POST", "/_sandbox/apps", {"name": name, "icon": icon, "url": url, "admin": admin}
        )
        if app["status"] != "approved":
            self.change_app(app["appId"], status="approved")
        return app

    def change_app(self, app_id: str, **fields: str) -> None:
        """Set any of `status`, `url`, `name`, `icon`."""
        self.call("PATCH", f"/_sandbox/apps/{quote(app_id, safe='')}", fields)

    def new_key(self, app_id: str) -> str:
        """Give the app a new API key; the old one becomes invalid."""
        return str(self.call("POST", f"/_sandbox/apps/{quote(app_id, safe='')}/key")["apiKey"])

    def reload(self) -> None:
        """Have the mini app's pages in the phones load again."""
        self.call("POST", "/_sandbox/reload")


def _refusal(method: str, path: str, answer: requests.Response) -> MiniAppError:
    try:
        error = answer.json()["error"]
        return MiniAppError(error["message"], hint=error["hint"], code=error["code"])
    except (ValueError, KeyError, TypeError):
        return MiniAppError(
            f"The sandbox answered {method} {path} with {answer.status_code}.", code=Code.SANDBOX_REFUSED
        )
