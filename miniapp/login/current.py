"""What the login of one app needs, and the one way to it from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import flask_login
from flask import current_app

from ..settings import Settings
from .signed import Logins
from .verifier import Verifier


@dataclass(frozen=True, kw_only=True)
class LoginState:
    """The part of an app's state that logins need. `state.State` adds the rest."""

    settings: Settings
    logins: Logins
    verifier: Verifier
    login_manager: flask_login.LoginManager


def login_state() -> LoginState:
    """Return the current app's state."""
    return cast(LoginState, current_app.extensions["miniapp"])
