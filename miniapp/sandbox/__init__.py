"""The local OneChat: REST API, phones, admin portal and controls. Needs the extra `[sandbox]`."""

try:
    import sqlalchemy as _sqlalchemy  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "The sandbox needs more packages. Install them: pip install 'onechat-miniapp[sandbox]'", name=error.name
    ) from None

from .config import HOST_NAME, Options, SandboxConfig
from .server import SandboxServer
from .web.app import create_sandbox
from .web.state import Sandbox, sandbox_of

__all__ = ["HOST_NAME", "Options", "Sandbox", "SandboxConfig", "SandboxServer", "create_sandbox", "sandbox_of"]
