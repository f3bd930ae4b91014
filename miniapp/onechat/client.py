"""OneChat's REST API: one method for each call."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import requests

from .. import contract
from .. import jid as jids
from ..errors import (
    Code,
    ConfigurationError,
    HostError,
    HostNonsense,
    HostUnreachable,
    MessageError,
    MiniAppError,
    Problem,
)
from ..jid import Recipient
from ..settings import Secret, Settings
from . import transport
from .outcome import judge, nonsense

log = logging.getLogger(__name__)

REPEATS = (0.1, 0.3)
"""Seconds before each repeat, give or take half: a host that restarts or a connection that broke is often back by
then, and a person is waiting for the answer."""
TEXT_MAX = 65536
"""Characters of an app's name, icon or URL: room for an icon as a `data:` URL."""

_SENDS = {"user": ("singleMessage", "jid"), "group": ("groupMessage", "jid"), "domain": ("massBroadcast", "domain")}
"""By kind of recipient: the call, and its field for the recipient's JID."""

_TEXT = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{TEXT_MAX}}}\Z")


@dataclass(frozen=True, slots=True)
class Registration:
    """Hold the answer of `registerMiniApp`: the app ID, and the API key, which OneChat shows only once.

    Both have 8 to 256 visible ASCII characters.
    """

    app_id: str
    api_key: Secret


class OneChat:
    """Call OneChat's REST API. Safe to share among threads.

    `settings` has the address, the app ID and the API key. Calls go through `session`, a requests session whose stock
    adapters are replaced by one that keeps deadlines; by default a new one. `with OneChat(settings) as client:` closes
    it at the end.

    Each call ends within `settings.deadline` (15 s by default), repeats included. If it did not succeed it raises a
    `HostError`: `HostUnreachable`, `HostRefused`, `HostBusy` or `HostNonsense`. A call that certainly never left is
    repeated twice, after about 0.1 and 0.3 s, except a broadcast. `authenticate_user` is repeated after any failure to
    get an answer, since asking twice changes nothing.
    """

    def __init__(self, settings: Settings, *, session: requests.Session | None = None) -> None:
        self.settings = settings
        self.session = transport.open_session(session, trust_env=settings.trust_env, ca_file=settings.ca_file)
        self._targets: dict[str, transport.Target] = {}

    def mass_broadcast(self, message: str, domain: str | None = None) -> None:
        """Send `message` to every user of `domain`, by default `settings.domain`.

        `message` has 1 to 4096 bytes of UTF-8. The call is never repeated automatically. Raises `JIDError`,
        `MessageError`, `HostError`. OneChat's page: "Mass broadcast API".
        """
        to = jids.domain(self.settings.domain if domain is None else domain)
        self.send(Recipient("domain", to), message)

    def send_message(self, jid: str, message: str) -> None:
        """Send `message` to the user `jid`, as the app: an alert on that user's phone.

        `message` has 1 to 4096 bytes of UTF-8. Raises `JIDError`, also for a group's JID, `MessageError`, `HostError`.
        OneChat's page: "1-2-1 alert message relay API".
        """
        self.send(Recipient("user", jids.user(jid)), message)

    def send_group_message(self, jid: str, message: str) -> None:
        """Send `message` to the group `jid`, which looks like `abcdef-123456@muc.onechat.net`.

        `message` has 1 to 4096 bytes of UTF-8. Raises `JIDError`, also for a user's JID, `MessageError`, `HostError`.
        OneChat's page: "Group alert message relay API".
        """
        self.send(Recipient("group", jids.group(jid)), message)

    def send(self, recipient: Recipient, message: str) -> None:
        """Send `message` by the call for the kind of `recipient`: a user, a group, or every user of a domain.

        `message` has 1 to 4096 bytes of UTF-8. Raises `MessageError`, `HostError`.
        """
        call, field = _SENDS[recipient.kind]
        self._call(call, {field: recipient.jid, "message": _message(message)})

    def register_mini_app(
        self, *, admin_jid: str, session_id: str, app_name: str, app_icon: str, app_url: str
    ) -> Registration:
        """Register a mini app as an admin of OneChat. Needs no API key.

        `session_id` is a session of `admin_jid`, 8 to 512 visible ASCII characters. `app_name`, `app_icon` (a URL) and
        `app_url` have 1 to 65,536 characters in one line. Raises `JIDError`, `HostError`, and `MiniAppError` with the
        code `argument` for another field. OneChat's page: "registerMiniApp".
        """
        session_id = _secret(session_id)
        if not contract.SESSION_ID.match(session_id):
            raise MiniAppError("The session ID is not one.", hint="Copy it again, with no blank.", code=Code.ARGUMENT)
        fields = {
            "adminJid": jids.user(admin_jid),
            "sessionId": session_id,
            "appName": _text("name", app_name),
            "appIcon": _text("icon", app_icon),
            "appUrl": _text("URL", app_url),
        }
        answer = self._call("registerMiniApp", fields)
        app_id, api_key = answer.get("appId"), answer.get("apiKey")
        if not (_is_key(app_id) and _is_key(api_key)):
            raise HostNonsense(
                "OneChat registered the app but gave no app ID and API key of the documented form.",
                call="registerMiniApp",
                maybe_done=True,
                hint="Look for the app in OneChat's admin portal.",
            )
        return Registration(str(app_id), Secret(api_key))

    def authenticate_user(self, jid: str, session_id: str, seconds: float | None = None) -> bool:
        """Return whether OneChat knows `session_id` as a session of the user `jid`.

        True only for `Success` with `isAuthenticated` true. `seconds` is a deadline shorter than `settings.deadline`.
        Raises `JIDError`, `HostError`, and `ConfigurationError` without app ID and API key. `HostRefused` may be about
        the session or about app ID and key: OneChat does not tell them apart. OneChat's page: "authenticateUser".
        """
        session_id = _secret(session_id)
        user = jids.user(jid)
        if not contract.SESSION_ID.match(session_id):
            return False  # no session has such an ID: nothing to ask
        fields = {"jid": user, "sessionId": session_id, "appId": self.settings.app_id, "apiKey": self._key()}
        answer = self._call("authenticateUser", fields, seconds)
        if "appId" in answer or "apiKey" in answer:
            log.warning("OneChat took authenticateUser for registerMiniApp: set ONECHAT_AUTHENTICATE_PATH.")
            return False
        verdict = answer.get("isAuthenticated")
        return verdict is True or verdict in ("True", "true")

    def close(self) -> None:
        """Close the idle connections."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _key(self) -> Secret:
        problems = [
            Problem(
                key, "is not set, or not 8 to 256 visible ASCII characters.", "Set what `miniapp register` printed."
            )
            for key, value in (
                ("ONECHAT_APP_ID", self.settings.app_id),
                ("ONECHAT_API_KEY", self.settings.api_key),
            )
            if not _is_key(value)
        ]
        if problems:
            raise ConfigurationError(problems)
        return Secret(self.settings.api_key)

    def _call(self, call: str, fields: dict[str, str], seconds: float | None = None) -> Mapping[str, Any]:
        """Return the host's `Success`, or one of our errors.

        Those are raised here, outside of any `except`: else their context would be the error of `requests`, which has
        the key in it.
        """
        target = self._targets.get(call) or self._target(call)
        deadline = self.settings.deadline
        exchange = transport.Exchange(deadline if seconds is None else min(seconds, deadline))
        outcome = self._attempt(call, target, fields, exchange)
        for wait in () if call == "massBroadcast" else REPEATS:
            if not isinstance(outcome, HostUnreachable) or (outcome.maybe_done and call != "authenticateUser"):
                break
            wait *= random.uniform(0.5, 1.5)  # noqa: S311 # apart from other clients, not hidden from anybody
            if exchange.remaining <= wait:
                break
            log.info("Repeating %s in %.1f s. %s", call, wait, outcome.message)
            time.sleep(wait)
            outcome = self._attempt(call, target, fields, exchange)
        if isinstance(outcome, HostError):
            raise outcome
        return outcome

    def _target(self, call: str) -> transport.Target:
        path = self.settings.authenticate_path if call == "authenticateUser" else call
        kind = "application/json" if self.settings.body == "json" else "application/x-www-form-urlencoded"
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": kind}
        if contract.CALLS[call].keyed:
            headers[contract.APIKEY_HEADER] = self._key()
        target = transport.Target(self.session, f"{self.settings.api_url}/{path}", headers)
        self._targets[call] = target
        return target

    def _attempt(
        self, call: str, target: transport.Target, fields: dict[str, str], exchange: transport.Exchange
    ) -> Mapping[str, Any] | HostError:
        body = json.dumps(fields) if self.settings.body == "json" else urlencode(fields)
        timeouts = (self.settings.connect_timeout, self.settings.read_timeout)
        answer = target.post(body.encode(), timeouts, exchange)
        if isinstance(answer, transport.Answer):
            return judge(call, answer, [self.settings.api_key, fields.get("sessionId", "")])
        if answer.not_http:
            return nonsense(call, answer.why)
        if answer.sent:
            hint = "It may have been done all the same."
        elif answer.untrusted:
            hint = "Set ONECHAT_CA_FILE to the CA's certificate if OneChat's is signed by a CA of your own."
        else:
            hint = "Check ONECHAT_API_URL and the network."
        why = f"OneChat could not be reached for {call}: {answer.why}."
        return HostUnreachable(why, call=call, maybe_done=answer.sent, hint=hint)


def _message(text: str) -> str:
    fault = contract.message_fault(text)
    if fault:
        raise MessageError(f"The message {fault}.", hint="Send 1 to 4096 bytes of text.")
    return text


def _text(what: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip() or not _TEXT.match(value):
        raise MiniAppError(
            f"The app's {what} is not text of 1 to {TEXT_MAX} characters in one line.",
            hint="Correct it.",
            code=Code.ARGUMENT,
        )
    return value.strip()


def _secret(value: str) -> Secret:
    return Secret(value if isinstance(value, str) else "")


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and contract.KEY.match(value) is not None
