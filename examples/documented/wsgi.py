"""A page with the code that OneChat's API page prints for mini apps, letter for letter.

`miniapp dev` in this folder runs it; open the browser's console. It has no login: it shows the bridge alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, render_template

from miniapp import MiniApp

EXAMPLES = ("getSessionID", "deviceInfo", "getVCard", "selectContacts", "single.relay", "group.relay")


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """One page for each example: `/getSessionID` and so on, and an index."""
    app = Flask(__name__)
    app.config.update(config or {}, ONECHAT_HEADERS="app")
    MiniApp(app)

    @app.get("/")
    def index() -> str:
        return render_template("index.html", examples=EXAMPLES)

    @app.get("/<any({}):name>".format(",".join(f'"{name}"' for name in EXAMPLES)))
    def example(name: str) -> str:
        return render_template(
            "example.html", name=name, code=(Path(__file__).parent / "static" / f"{name}.js").read_text()
        )

    return app


def __getattr__(name: str) -> Flask:
    """Make `app` when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return create_app()
