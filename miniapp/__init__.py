"""Flask framework and starter for mini apps inside the OneChat super app."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        LedgerError,
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

# A name's module is imported when the name is first asked for: pytest loads this package for every project that has it
# installed, and the command line for every word of help, neither with a need for Flask and requests.
_MODULES = {
    "MiniApp": ".extension",
    "OneChat": ".client",
    "Registration": ".client",
    "Settings": ".settings",
    "User": ".auth",
    "current_user": ".auth",
    "login_required": ".auth",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES.get(name, ".errors"), __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
