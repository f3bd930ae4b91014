"""A native container: a WebKit web view that puts `window.OC` into the mini app's page, as OneChat does on a phone.

    /usr/bin/python3 examples/native_container/container.py http://127.0.0.1:8700/ http://127.0.0.1:5000/ --user alice

The first address is the sandbox's, the second the mini app's. docs/native.md explains; `--help` lists the options.
It runs in Debian's own Python, which has GTK and WebKit: apt-get install python3-gi gir1.2-gtk-3.0 gir1.2-webkit2-4.1
"""

from __future__ import annotations

import argparse
import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, WebKit2  # noqa: E402

BRIDGE = Path(__file__).with_name("bridge.js").read_text()
DEVICE = {"device": "iPhone 15", "os": "iOS 17.4", "screenWidth": "393", "screenHeight": "852"}
WIDTH, HEIGHT = 393, 852  # an iPhone 15's screen

# What some of the shapes are made with.
_HELPERS = """
  const freeze = (object) => {
    Object.values(object).forEach((value) => typeof value === "object" && freeze(value));
    return Object.freeze(object);
  };
  const views = (made) => ({
    get user() { return { ...made.user }; },
    get message() { return { single: { ...made.message.single }, group: { ...made.message.group } }; },
  });
"""

SHAPES = {
    "plain": "window.OC = make();",
    "frozen": "window.OC = freeze(make());",
    "getters": "window.OC = views(make());",
    "frozen-getters": "window.OC = Object.freeze(views(make()));",
    "accessor": "Object.defineProperty(window, 'OC', { get: () => make() });",
    "defined": "Object.defineProperty(window, 'OC', { value: make() });",
    "locked": "Object.defineProperty(window, 'OC', { value: freeze(make()) });",
    "constant": "",
    "frozen-constant": "",
    "parts": (
        "const made = make(); window.OC = { user: made.user };"
        "setTimeout(() => { window.OC.message = made.message; }, 1000);"
    ),
}
"""How the object gets into the page. A phone's app may use any of these; the shim has to serve them all."""

_CONSTANTS = {"constant": "const OC = {}();", "frozen-constant": "const OC = Object.freeze({}());"}

Answer = Callable[[str, dict[str, Any]], str]
"""Called with a function's name and arguments; returns what the page hears: `success('["bob@…"]')`, `fail("no")`."""


def injection(profile: dict[str, Any], shape: str) -> str:
    """Return the script that puts `OC` into the page."""
    make = f"(() => ({BRIDGE.strip()})({json.dumps(profile)}))".replace("</", "<\\/")
    if shape in _CONSTANTS:
        return _CONSTANTS[shape].format(make)
    return f"(() => {{ const make = {make}; {_HELPERS} {SHAPES[shape]} }})();"


class Container:
    """One web view with one person's OneChat around it.

    `when` is "start" (before any script of the page), "dom", "load", or seconds after the navigation began.
    """

    def __init__(
        self,
        profile: dict[str, Any],
        answer: Answer,
        *,
        shape: str = "plain",
        when: str = "start",
        cookies: bool = True,
        insecure: bool = False,
    ) -> None:
        self.profile, self.answer, self.shape, self.when = profile, answer, shape, when
        context = WebKit2.WebContext.new_ephemeral()
        policy = WebKit2.CookieAcceptPolicy
        context.get_cookie_manager().set_accept_policy(policy.NO_THIRD_PARTY if cookies else policy.NEVER)
        if insecure:
            context.get_website_data_manager().set_tls_errors_policy(WebKit2.TLSErrorsPolicy.IGNORE)
        self.scripts = WebKit2.UserContentManager()
        self.scripts.connect("script-message-received::onechat", self._called)
        self.scripts.register_script_message_handler("onechat")
        self.view = WebKit2.WebView(web_context=context, user_content_manager=self.scripts)
        self.view.get_settings().set_enable_developer_extras(True)
        self.view.get_settings().set_enable_write_console_messages_to_stdout(True)
        self.view.connect("load-changed", self._load_changed)
        script = injection(profile, shape)
        if when == "start":
            self.at_start(script)
        elif when == "dom":
            self.at_start(f"document.addEventListener('DOMContentLoaded', () => {{ {script} }});")

    def at_start(self, script: str) -> None:
        """Run `script` in every page before the page's own scripts."""
        frames, time = WebKit2.UserContentInjectedFrames.TOP_FRAME, WebKit2.UserScriptInjectionTime.START
        self.scripts.add_script(WebKit2.UserScript(script, frames, time, None, None))

    def run(self, script: str) -> None:
        """Run `script` in the page as it is now."""
        self.view.evaluate_javascript(script, -1, None, None, None, None)

    def _load_changed(self, _view: Any, event: Any) -> None:
        if self.when == "load" and event == WebKit2.LoadEvent.FINISHED:
            self._inject()
        elif event == WebKit2.LoadEvent.COMMITTED and re.fullmatch(r"[0-9.]+", self.when):
            GLib.timeout_add(int(float(self.when) * 1000), self._inject)

    def _inject(self) -> bool:
        self.run(injection(self.profile, self.shape))
        return GLib.SOURCE_REMOVE

    def _called(self, _scripts: Any, result: Any) -> None:
        message = json.loads(result.get_js_value().to_string())
        said = self.answer(message["call"], message["args"] or {})
        if said:
            self.run(f"containerCalls[{message['id']}].{said}")


class Sandbox:
    """The parts of the sandbox that a phone needs: a session for its user, and the way for messages."""

    def __init__(self, url: str) -> None:
        # Only browsers know *.localhost, and the sandbox's page is at onechat.localhost alone.
        port = urlsplit(url).port or 80
        self.url, self.headers = f"http://127.0.0.1:{port}", {"Host": f"onechat.localhost:{port}"}
        page = self._open("/").decode()
        self.headers["X-Sandbox-Token"] = re.search(r'name="sandbox-token" content="([^"]+)"', page)[1]
        self.headers["Content-Type"] = "application/json"

    def _open(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, self.headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return bytes(answer.read())

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON that the sandbox answers."""
        return json.loads(self._open(path, json.dumps(body).encode() if body else None))

    def profile(self, user: str) -> dict[str, Any]:
        """Return what OneChat tells a mini app about `user`, with a new session."""
        users = self.call("/_sandbox/state")["users"]
        found = next(one for one in users if user in (one["jid"], one["jid"].split("@")[0]))
        session = self.call("/_sandbox/sessions", {"jid": found["jid"]})["sessionId"]
        vcard = {"jid": found["jid"], "userName": found["name"], "avatar": found["avatar"]}
        return {"sessionId": session, "vCard": vcard, "device": DEVICE}


class Person:
    """Asks the person at the screen, and sends what they agree to."""

    def __init__(self, window: Gtk.Window, sandbox: Sandbox, jid: str) -> None:
        self.window, self.sandbox, self.jid = window, sandbox, jid

    def answer(self, call: str, args: dict[str, Any]) -> str:
        """Return the call's answer, as `Container` wants it."""
        if call == "selectContacts":
            return f"success({json.dumps(json.dumps(self._pick(args)))})"
        relay = {key: value for key, value in args.items() if key in ("groupJid", "textMessage")}
        for key in {"recipient", "invitees"} & args.keys():
            relay[key] = json.loads(args[key])
        to = relay.get("groupJid") or ", ".join(relay.get("recipient") or relay.get("invitees") or [])
        if not self._agrees(f"Send this to {to}?", relay.get("textMessage", "")):
            return 'fail("Cancelled.")'
        try:
            value = self.sandbox.call(f"/phones/{self.jid}/relay", relay)["value"]
        except OSError as error:
            return f"fail({json.dumps(str(error))})"
        return f"success({json.dumps(value) if value else ''})"

    def _pick(self, args: dict[str, Any]) -> list[str]:
        limit = args.get("maxNumberOfSelection", -1)
        dialog = self._dialog("Choose contacts", f"At most {limit}." if limit > 0 else "")
        contacts = self.sandbox.call(f"/phones/{self.jid}/contacts")
        boxes = {one["jid"]: Gtk.CheckButton(label=one["name"]) for one in contacts}
        for box in boxes.values():
            dialog.get_message_area().add(box)
        dialog.show_all()
        agreed = dialog.run() == Gtk.ResponseType.OK
        chosen = [jid for jid, box in boxes.items() if box.get_active()]
        dialog.destroy()
        return chosen if agreed else []

    def _agrees(self, title: str, text: str) -> bool:
        dialog = self._dialog(title, text)
        agreed = dialog.run() == Gtk.ResponseType.OK
        dialog.destroy()
        return bool(agreed)

    def _dialog(self, title: str, text: str) -> Gtk.MessageDialog:
        buttons = Gtk.ButtonsType.OK_CANCEL
        return Gtk.MessageDialog(
            transient_for=self.window, modal=True, buttons=buttons, text=title, secondary_text=text or None
        )


def main() -> None:
    """Open a window with the mini app in it."""
    parser = argparse.ArgumentParser(description="Open a mini app in a native container.")
    parser.add_argument("sandbox", help="address of the sandbox, as `miniapp dev` prints it")
    parser.add_argument("app", help="address of the mini app")
    parser.add_argument("--user", default="alice", help="whose phone it is: a JID, or the part before its @")
    parser.add_argument("--shape", choices=SHAPES, default="plain", help="how OC is made (plain)")
    parser.add_argument(
        "--when", default="start", help="when OC comes: start, dom, load, or a number of seconds (start)"
    )
    parser.add_argument("--no-cookies", action="store_true", help="keep no cookies")
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument(
        "--contacts", metavar="JS", help="what selectContacts answers, as JavaScript; instead of a dialog"
    )
    options = parser.parse_args()

    sandbox = Sandbox(options.sandbox)
    profile = sandbox.profile(options.user)
    window = Gtk.Window(title=f"{profile['vCard']['userName']}'s phone")
    person = Person(window, sandbox, profile["vCard"]["jid"])

    def answer(call: str, args: dict[str, Any]) -> str:
        if call == "selectContacts" and options.contacts is not None:
            return f"success({options.contacts})"
        return person.answer(call, args)

    container = Container(
        profile,
        answer,
        shape=options.shape,
        when=options.when,
        cookies=not options.no_cookies,
        insecure=options.insecure,
    )
    window.set_default_size(WIDTH, HEIGHT)
    window.add(container.view)
    window.connect("destroy", Gtk.main_quit)
    window.show_all()
    container.view.load_uri(options.app)
    Gtk.main()


if __name__ == "__main__":
    main()
