"""A mini app for tests of the host page. It speaks the bridge's protocol without the shim."""

from __future__ import annotations

from typing import Any

from flask import Flask

PAGE = """<!doctype html><title>Probe</title>
<p id="session"></p><p id="loads"></p><p id="scheme"></p><pre id="answer"></pre>
<input id="field" aria-label="Field"> <button id="button">Button</button>
<script>
const decode = (text) => JSON.parse(new TextDecoder().decode(
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0))));
const given = location.hash.match(/^#oc=(.*)/);
if (given) { sessionStorage.launch = JSON.stringify(decode(given[1])); history.replaceState(null, "", "/"); }
let launch = JSON.parse(sessionStorage.launch);
const show = (id, text) => { document.getElementById(id).textContent = text; };
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.onchange = () => show("scheme", dark.matches ? "dark" : "light");
dark.onchange();
show("session", launch.sessionId);
show("loads", sessionStorage.loads = Number(sessionStorage.loads || 0) + 1);
const id = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
let port, calls = 0;
addEventListener("message", ({source, origin, data, ports}) => {
  if (source !== parent || origin !== launch.host || data.type !== "port" || data.id !== id) return;
  port = ports[0];
  port.onmessage = ({data}) => {
    if (data.event === "reload") location.reload();
    else if (data.event === "launch") { launch = data.data; show("session", launch.sessionId); }
    else show("answer", JSON.stringify(data));
  };
  document.body.dataset.connected = "";
});
parent.postMessage({oc: 1, type: "connect", id}, launch.host);
window.call = (call, args) => port.postMessage({id: ++calls, call, args});
</script>"""


def create_probe(settings: dict[str, Any]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "page", lambda: PAGE)
    app.add_url_rule("/broken", "broken", lambda: ("<!doctype html><h1>Traceback</h1>", 500))
    return app
