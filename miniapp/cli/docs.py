"""The command that shows the documentation: `docs`."""

from __future__ import annotations

from pathlib import Path

import click

from .output import say

_PACKAGE = Path(__file__).parents[1]
PAGES = next((place for place in (_PACKAGE / "_docs", _PACKAGE.parent / "docs") if place.is_dir()), _PACKAGE / "_docs")


@click.command()
@click.argument("page", default="")
def docs(page: str) -> None:
    """Show PAGE of the documentation: miniapp docs errors. Without PAGE, list the pages."""
    pages = {path.stem: path for path in sorted(PAGES.glob("*.md")) if path.stem != "index"}
    name = page.removeprefix("docs/").partition("#")[0].removesuffix(".md")
    if not page:
        for stem, path in pages.items():
            say(f"{stem:<18} {path.read_text('utf-8').splitlines()[0].removeprefix('# ')}")
    elif name in pages:
        click.echo_via_pager(pages[name].read_text("utf-8"))
    else:
        raise click.UsageError(f"There is no page {name}. Pages: {', '.join(pages)}.")
