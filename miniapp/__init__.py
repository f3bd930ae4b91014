"""Flask framework and starter for mini apps inside the OneChat super app."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        ConfigurationError,
        HostBusy,
        HostError,
        HostNonsense,
        HostRefused,
        HostUnreachable,
        JIDError,
        LedgerError,
        MessageError,
        MiniAppError,
    )
    from .extension import MiniApp
    from .login.guard import login_required
    from .login.user import User, current_user
    from .onechat.client import OneChat, Registration
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
    "LedgerError",
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

# A name's module is imported on first use. pytest loads this package in every project that has it installed, and the
# command line for its help: neither needs Flask and requests.
_MODULES = {
    "MiniApp": ".extension",
    "OneChat": ".onechat.client",
    "Registration": ".onechat.client",
    "Settings": ".settings",
    "User": ".login.user",
    "current_user": ".login.user",
    "login_required": ".login.guard",
}

if not TYPE_CHECKING:  # a type checker would take any name for one of the package's

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES.get(name, ".errors"), __name__), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
