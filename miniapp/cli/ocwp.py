"""The command that copies the chat plugin into a site: `ocwp`."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ..errors import Code, MiniAppError
from .output import say

FILES = Path(__file__).parents[1] / "sandbox/static/build/ocwp"  # not imported: that would need the extra `sandbox`


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def ocwp(directory: Path) -> None:
    """Copy the chat plugin into DIRECTORY: ocwp.js, ocwp.mjs, typings, config/ and locale/.

    A config/config.json that is there already stays as it is; everything else is replaced.
    """
    if not (FILES / "ocwp.js").is_file():
        raise MiniAppError(
            "The chat plugin has not been built.", hint="Build it: scripts/build-js", code=Code.NOT_BUILT
        )
    files = sorted(path.relative_to(FILES) for path in FILES.rglob("*") if path.is_file())
    copied = [file for file in files if not (file.name == "config.json" and (directory / file).exists())]
    for file in copied:
        target = directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FILES / file, target)
    say(f"Copied {len(copied)} files into {directory}.")
    if len(copied) < len(files):
        say("config/config.json was there, and stays as it is.")
    else:
        say("Next: name your chat server in config/config.json. `miniapp docs ocwp` has the rest.")
