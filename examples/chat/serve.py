"""The page, its backend and a local OneChat with Prosody: `python examples/chat/serve.py`, then open what it prints."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify, request, send_from_directory

from miniapp.sandbox import SandboxConfig, SandboxServer
from miniapp.sandbox.web.ocwp_files import FILES
from miniapp.testing.controls import Controls

HERE = Path(__file__).parent
USERS = ("alice", "bob", "carol")


def create_app(controls: Controls, domain: str) -> Flask:
    """The site. A real one logs its users in, and asks OneChat for the credential of the one who is."""
    app = Flask(__name__)

    @app.get("/")
    def page() -> Response:
        return send_from_directory(HERE, "index.html")

    @app.get("/own")
    def own() -> Response:
        return send_from_directory(HERE, "own.html")

    @app.get("/ocwp/config/config.json")
    def config() -> Response:
        return Response(controls.session.get(f"{controls.url}/ocwp/config/config.json", timeout=5).content)

    @app.get("/ocwp/<path:name>")
    def plugin(name: str) -> Response:
        return send_from_directory(FILES, name)

    @app.post("/credential")
    def credential() -> tuple[Response, int]:
        user = request.args.get("user", "")
        if user not in USERS:
            return jsonify(error="There is no such user."), 404
        issued = controls.call("POST", f"/phones/{user}@{domain}/chat")
        return jsonify(jid=issued["jid"], password=issued["password"]), 200

    return app


def main() -> None:
    """Run all of it until Ctrl-C."""
    with SandboxServer(SandboxConfig(xmpp="prosody")) as sandbox:
        app = create_app(Controls(sandbox.url, sandbox.token), sandbox.sandbox.domain)
        app.run("127.0.0.1", 5050)


if __name__ == "__main__":
    main()
