"""The examples on the pages of the manual."""

from __future__ import annotations

import re

from support.paths import ROOT


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks in a language on a page, such as `docs/bridge.md`, also those in lists."""
    block = re.compile(rf"^( *)```{language}\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    found = block.findall((ROOT / page).read_text())
    return [re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]
