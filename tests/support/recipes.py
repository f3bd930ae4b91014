"""The recipes of docs/flask-extensions.md: one whole app below each heading."""

from __future__ import annotations

import re
from types import ModuleType

from support.paths import ROOT

PAGE = ROOT / "docs/flask-extensions.md"


def sections() -> dict[str, str]:
    """Return the text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def source(heading: str) -> str:
    """Return the recipe's code."""
    (code,) = re.findall(r"```python\n(.*?)```", sections()[heading], re.DOTALL)
    return code


def recipe(heading: str) -> ModuleType:
    """Return a new module in which the recipe's code has run."""
    module = ModuleType("recipe")
    exec(compile(source(heading), f"{PAGE.name}: {heading}", "exec", dont_inherit=True), module.__dict__)
    return module
