"""Flask framework and starter for mini apps inside the OneChat super app."""

from .auth import User, current_user, login_required
from .client import OneChat, Registration
from .errors import (
    ConfigurationError,
    HostBusy,
    HostError,
    HostNonsense,
    HostRefused,
    HostUnreachable,
    JIDError,
    MessageError,
    MiniAppError,
)
from .extension import MiniApp
from .settings import Settings

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "HostBusy",
    "HostError",
    "HostNonsense",
    "HostRefused",
    "HostUnreachable",
    "JIDError",
    "MessageError",
    "MiniApp",
    "MiniAppError",
    "OneChat",
    "Registration",
    "Settings",
    "User",
    "current_user",
    "login_required",
]
