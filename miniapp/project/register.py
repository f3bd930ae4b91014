"""Registering a mini app: one call to OneChat, and its answer into `.env` at once, since the API key is shown once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import Code, MiniAppError
from ..onechat.client import OneChat, Registration
from ..settings import PREFIX, Secret, Settings, read_env_file
from .envfile import open_env_file

APP_ID, API_KEY, PUBLIC_URL = PREFIX + "APP_ID", PREFIX + "API_KEY", PREFIX + "PUBLIC_URL"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be registered, where, and into which file the answer goes."""

    name: str
    icon: str
    url: str
    admin_jid: str
    env_file: Path = Path(".env")
    api_url: str = ""
    force: bool = False

    def public_url(self) -> str:
        """`url` as ONECHAT_PUBLIC_URL has it. Raises `ConfigurationError` if it can't be that."""
        return Settings.read({PUBLIC_URL: self.url}, self.env_file, demand_app=False).public_url

    def settings(self) -> Settings:
        """Return the settings to call OneChat with: `api_url` if given, the environment, then `env_file`."""
        config = {PREFIX + "API_URL": self.api_url} if self.api_url else {}
        return Settings.read(config, self.env_file, demand_app=False)


class NotStored(MiniAppError):
    """The app is registered, but `env_file` could not be written; `registration` must not be lost."""

    code = Code.NOT_STORED

    def __init__(self, registration: Registration, env_file: Path, why: str) -> None:
        super().__init__(
            f"The app is registered, but {env_file} could not be written: {why}.",
            hint="Put the two lines that were printed into it by hand; OneChat does not show the key again.",
        )
        self.registration = registration


def register(plan: Plan, session_id: Secret) -> Registration:
    """Register the app and store its app ID and API key.

    Raises `MiniAppError` before anything is sent if they could not be stored, `NotStored` if that turns out later,
    and what `OneChat.register_mini_app` raises.
    """
    refuse_second(plan)
    values = {}
    if plan.api_url and plan.api_url.rstrip("/") != Settings.read({}, plan.env_file, demand_app=False).api_url:
        values[PREFIX + "API_URL"] = plan.settings().api_url  # the app must call where its app ID is known
    if plan.url.rstrip("/") != plan.settings().public_url:
        values[PUBLIC_URL] = plan.public_url()
    with open_env_file(plan.env_file) as env_file, OneChat(plan.settings()) as client:
        registration = client.register_mini_app(
            admin_jid=plan.admin_jid,
            session_id=session_id,
            app_name=plan.name,
            app_icon=plan.icon,
            app_url=plan.url,
        )
        try:
            env_file.store(values | {APP_ID: registration.app_id, API_KEY: registration.api_key})
        except OSError as error:
            raise NotStored(registration, plan.env_file, error.strerror or type(error).__name__) from None
    return registration


def refuse_second(plan: Plan) -> None:
    """Refuse to register an app that has an app ID, unless the plan says `force`."""
    where = "the environment" if os.environ.get(APP_ID) else str(plan.env_file)
    if not plan.force and (os.environ.get(APP_ID) or read_env_file(plan.env_file).get(APP_ID)):
        raise MiniAppError(
            f"This app is registered already: {where} has an {APP_ID}.",
            hint="With --force it is registered as a new app, which replaces the old one's ID and key.",
            code=Code.REGISTERED,
        )
