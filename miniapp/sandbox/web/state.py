"""One sandbox: its parts, and the way to it from a request."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, cast

from flask import Flask, current_app

from ..config import Options, SandboxConfig
from ..network import Delivered, Sender
from ..networks import choose_network
from ..store import Store
from ..store.apps import Registered
from ..store.records import App, AppStatus, Session, User
from .events import EventHub
from .faults import Faults
from .serializers import message_shape

EXTENSION = "onechat_sandbox"


class Sandbox:
    """A local OneChat: `config`, `options`, `store`, `network`, `events`, `faults`.

    `carried_by` says in words what the network is. `first_app` is the app ID of what phones open at the start, if any.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.options = Options.of(config)
        self.first_app = ""
        self.store = Store(config.database, domain=config.domain, seed=config.seed, clock=config.clock)
        self.network, self.carried_by = choose_network(config, self.store)
        self.events = EventHub()
        self.faults = Faults()
        self._options_lock = threading.Lock()
        self._resetting = threading.Lock()
        try:
            self.network.start()
        except BaseException:
            self.store.close()
            raise
        self.network.listen(self._arrived)
        self.network.listen_invitations(lambda jid: self.events.publish("threads", {"jid": jid}))

    @property
    def domain(self) -> str:
        """The users' domain."""
        return self.config.domain

    @property
    def group_domain(self) -> str:
        """The groups' domain."""
        return f"muc.{self.config.domain}"

    def user_changed(self, user: User) -> None:
        """Tell network and pages that the user is new or was changed."""
        self.network.user_changed(user)
        self.events.publish("state")

    def remove_user(self, jid: str) -> None:
        """Delete the user with all that belongs to it. Raises `NotFound`."""
        self.ended(self.store.sessions.revoke(jid=jid))
        self.store.users.remove(jid)
        self.network.user_removed(jid)
        self.events.publish("state")

    @property
    def alerts(self) -> str:
        """The JID that messages of mini apps are from."""
        return f"alerts.{self.config.domain}"

    def sender(self, app: App) -> Sender:
        """Who a message from the backend of `app` is from."""
        return Sender(self.alerts, app.name, app.app_id)

    def register(self, *, name: str, icon: str, url: str, admin: str) -> Registered:
        """Add an app, approved at once or pending as the options say."""
        status: AppStatus = "approved" if self.options.approve == "at_once" else "pending"
        registered = self.store.apps.register(name=name, icon=icon, url=url, admin=admin, status=status)
        self.events.publish("state")
        return registered

    def change_options(self, changes: dict[str, Any]) -> Options:
        """Change the options given, and return all of them."""
        with self._options_lock:
            self.options = replace(self.options, **changes)
            return self.options

    def ended(self, sessions: list[Session]) -> None:
        """Tell the phones that these sessions have ended."""
        for jid, app_id in dict.fromkeys((session.jid, session.app_id) for session in sessions):
            self.events.publish("session", {"jid": jid, "appId": app_id})

    def reset(self) -> None:
        """Go back to how a fresh sandbox starts. What began earlier can write nothing afterwards."""
        with self._resetting:
            self.faults.clear()
            self.change_options(vars(Options.of(self.config)))
            ended: list[Session] = []

            def empty() -> None:
                ended.extend(self.store.sessions.revoke())
                self.store.reset()
                self.events.forget()

            try:
                self.network.reset(empty)
            finally:
                self.ended(ended)
                self.events.publish("state")
                self.events.publish("threads")

    def restore(self) -> None:
        """Make files again that were removed while the sandbox runs. Raises `MiniAppError` if that can't be done."""
        self.store.restore()
        self.network.restore()

    def close(self) -> None:
        """End the streams and hanging calls, and let go of the database."""
        self.faults.clear()
        self.events.close()
        self.network.close()
        self.store.close()

    def _arrived(self, delivered: Delivered) -> None:
        message = delivered.message
        self.events.publish(
            "message", {"jid": delivered.jid, "thread": message.thread, "message": message_shape(message)}
        )


def sandbox_of(app: Flask) -> Sandbox:
    """Return the sandbox behind an app that `create_sandbox` made."""
    return cast(Sandbox, app.extensions[EXTENSION])


def sandbox() -> Sandbox:
    """Return the sandbox behind the current request."""
    return sandbox_of(current_app)
