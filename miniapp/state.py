"""What one app keeps, and the one way to it from a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from .login.current import LoginState
from .onechat.client import OneChat
from .shim import Shim

if TYPE_CHECKING:
    from .outbox import Outbox

Check = Callable[[], object]
"""A check for `/readyz`. An exception means that the app is not ready."""


@dataclass(frozen=True, kw_only=True)
class State(LoginState):
    """The framework's state of one app, in `app.extensions["miniapp"]`."""

    client: OneChat
    shim: Shim
    outbox: Outbox | None = None
    checks: dict[str, Check] = field(default_factory=dict)


def state(app: Flask | None = None) -> State:
    """Return the state of `app`, by default of the current app."""
    return cast(State, (app or current_app).extensions["miniapp"])
