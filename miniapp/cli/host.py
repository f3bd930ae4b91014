"""The commands that call OneChat: `register`, `send`, `send-group`, `broadcast`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..contract import DOMAIN
from ..errors import HostError
from ..onechat.client import OneChat
from ..settings import Secret, Settings
from .output import say, sheet

ENV_FILE = Path(".env")
SESSION_ID = "ONECHAT_SESSION_ID"


def client() -> OneChat:
    """OneChat as the settings have it: under `flask miniapp` those of the app, else the environment, then `.env`."""
    from flask.cli import ScriptInfo

    info = click.get_current_context().find_object(ScriptInfo)
    if info is not None:
        state = info.load_app().extensions.get("miniapp")
        if state is not None:
            return OneChat(state.settings)
    return OneChat(Settings.read({}, ENV_FILE))


# --- register ---


@click.command()
@click.option("--name", prompt="The mini app's name", help="The mini app's name.")
@click.option("--url", help="Its https URL. Default: ONECHAT_PUBLIC_URL.")
@click.option("--icon", help="The URL of its icon. Default: static/icon.svg below its URL.")
@click.option("--admin-jid", envvar="ONECHAT_ADMIN_JID", prompt="Your JID as admin", help="The admin's JID.")
@click.option("--api-url", default="", help="OneChat's REST API. Default: ONECHAT_API_URL.")
@click.option(
    "--env-file", type=click.Path(path_type=Path), default=ENV_FILE, show_default=True, help="Where to store."
)
@click.option("--session-id-stdin", is_flag=True, help="Read the session ID from standard input.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--force", is_flag=True, help="Register although there is an app ID already.")
def register(
    name: str,
    url: str | None,
    icon: str | None,
    admin_jid: str,
    api_url: str,
    env_file: Path,
    session_id_stdin: bool,
    dry_run: bool,
    force: bool,
) -> None:
    """Register the mini app with OneChat and store its app ID and API key in .env.

    The admin's session ID is asked for, or read from standard input or from ONECHAT_SESSION_ID; it is never an
    argument, since every process of the machine can read those.
    """
    from ..project import register as registration

    settings = registration.Plan(
        name=name, icon="", url="", admin_jid=admin_jid, api_url=api_url, env_file=env_file
    ).settings()
    url = url or settings.public_url or click.prompt("The mini app's https URL")
    icon = icon or url.rstrip("/") + "/static/icon.svg"
    plan = registration.Plan(
        name=name, icon=icon, url=url, admin_jid=admin_jid, api_url=api_url, env_file=env_file, force=force
    )
    if dry_run:
        rows = [("adminJid", admin_jid), ("sessionId", "(secret)"), ("appName", name), ("appIcon", icon)]
        sheet(f"Would POST to {settings.api_url}/registerMiniApp", [*rows, ("appUrl", url)])
        say(f"Would store ONECHAT_APP_ID, ONECHAT_API_KEY and ONECHAT_PUBLIC_URL in {env_file}. Nothing was sent.")
        return
    registration.refuse_second(plan)  # before a secret is asked for in vain
    try:
        registered = registration.register(plan, _session_id(session_id_stdin))
    except registration.NotStored as error:
        say(f"ONECHAT_APP_ID={error.registration.app_id}\nONECHAT_API_KEY={error.registration.api_key}")
        raise
    say(f"Registered as {registered.app_id}. ONECHAT_APP_ID, ONECHAT_API_KEY and ONECHAT_PUBLIC_URL are in {env_file}.")
    if os.environ.get("ONECHAT_APP_ID"):
        say("ONECHAT_APP_ID is set in the environment too, and that comes first: take it out there.")


def _session_id(stdin: bool) -> Secret:
    if stdin:
        return Secret(sys.stdin.readline().strip())
    if from_environment := os.environ.get(SESSION_ID):
        return Secret(from_environment)
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal to ask at: use --session-id-stdin, or set {SESSION_ID}.")
    return Secret(click.prompt("Your session ID (not shown)", hide_input=True).strip())


# --- messages ---


def _text(text: str) -> str:
    return sys.stdin.read().rstrip("\n") if text == "-" else text


@click.command()
@click.argument("jid")
@click.argument("text")
def send(jid: str, text: str) -> None:
    """Send TEXT to the user JID, as the mini app. TEXT may be -, for standard input."""
    with client() as onechat:
        onechat.send_message(jid, _text(text))
    say(f"Sent to {jid}.")


@click.command("send-group")
@click.argument("jid")
@click.argument("text")
def send_group(jid: str, text: str) -> None:
    """Send TEXT to the group JID (…@muc.domain), as the mini app. TEXT may be -, for standard input."""
    with client() as onechat:
        onechat.send_group_message(jid, _text(text))
    say(f"Sent to {jid}.")


@click.command()
@click.argument("text")
@click.option("--domain", help=f"The domain, such as {DOMAIN}. Default: ONECHAT_DOMAIN.")
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
def broadcast(text: str, domain: str | None, yes: bool) -> None:
    """Send TEXT to every user of the domain, as the mini app. TEXT may be -, for standard input."""
    text = _text(text)
    with client() as onechat:
        domain = domain or onechat.settings.domain
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("There is no terminal to confirm at: add --yes to send to everyone.")
            if not click.confirm(f"Send this to every user of {domain}?\n\n{text}\n\n"):
                raise click.ClickException("Nothing was sent.")
        try:
            onechat.mass_broadcast(text, domain)
        except HostError as error:
            if error.maybe_done:
                error.hint = (
                    "Nobody can tell whether it went out, so it is not repeated. "
                    "Ask a user whether it arrived before you send it again."
                )
            raise
    say(f"Sent to every user of {domain}.")
