"""`{{ miniapp_script() }}`: the shim's tag for one page."""

from __future__ import annotations

import json
import time
from typing import Any

from flask import current_app
from markupsafe import Markup

from . import shim, texts
from .login import headers
from .login.user import current_user
from .settings import Settings
from .state import state


def script_tag(*, login: bool = False) -> Markup:
    """`{{ miniapp_script() }}`: the tag that loads the shim, integrity, nonce and what it must know of the page."""
    attributes: dict[str, str] = {}
    if login:
        attributes["data-login"] = ""
        if current_app.debug and (phones := _phones(state().settings)):
            attributes["data-phones"] = phones
        if texts.translates():
            attributes["data-texts"] = json.dumps({code: texts.text(code) for code in texts.SHIM})
    elif current_user.is_authenticated:
        attributes["data-jid"] = current_user.jid
        attributes["data-left"] = str(max(0, int(current_user.expires_at - time.time())))
    nonce: Any = headers.nonce if login else current_app.jinja_env.globals["csp_nonce"]
    return shim.script_tag(state().shim, nonce(), attributes)


def _phones(settings: Settings) -> str | None:
    """Return where the local OneChat's phones are, if that is what this app runs in."""
    return next((f"{origin}/" for origin in settings.container_origins if ".localhost:" in origin), None)
