"""`miniapp doctor`."""

from __future__ import annotations

import click


@click.command()
@click.option("--app", default="wsgi", show_default=True, help="The app, as Flask's --app.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def doctor(app: str, as_json: bool) -> None:
    """Look for what is wrong with the mini app of this directory: settings, network, cookies, framing, secrets.

    Exits with 1 if there is an error. Sends no key and no session ID.
    """
