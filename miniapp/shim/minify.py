"""Makes `oc.js.j2` small. It knows the way that file is written, not JavaScript.

It works on the template, never on what a setting puts into it. Two trees of syntax, before and after, that differ in
nothing but local names are what a test demands of it (tests/unit/shim/test_shim.py).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, pairwise
from string import ascii_uppercase

# Strings and Jinja's expressions are passed over by every step: a match of this has no group 1.
_SKIP = r'"[^"\n]*"|\{\{.*?\}\}'
# A name that may be one of ours: neither a property (.name) nor a key (name:) nor a getter.
_NAME = re.compile(rf"{_SKIP}|(?<![\w$.])(?!get \w)(?<!get )([A-Za-z_]\w*)(?![\w$:])")
_DECLARED = re.compile(r"(?:const|let) ([\w, ]+)|\(([\w, ]+)\) =>")
_TOP_DECLARED = re.compile(r"^  (?:const|let) ([\w, ]+)|^\(\(([\w, ]+)\) =>", re.MULTILINE)

# New names. The most frequent letters of JavaScript first, and outer and inner names apart as far as they go: of the
# orders that were tried this one makes the smallest gzip.
_INNER = "etnrsoiabcdfghjklmpquvwxyz"
_OUTER = "cdefghijklmnopqrstuvwxyz" + ascii_uppercase + "ab"


def minify(template: str) -> str:
    """`template` without comments and blanks, and with local names of a letter or two."""
    lines = [line for line in template.splitlines() if line.strip() and not line.lstrip().startswith("//")]
    # the statements of the outer function; names declared inside one are unknown to the others
    statements = re.split(r"\n(?=  [^\s})])", "\n".join(lines))
    statements = _join_constants(_rename(statements))
    text = _sub(r"(?<![\w$])\s+|\s+(?![\w$])", "", "".join(statements))
    text = _sub(r",(?=[)}\]])|;(?=\})", "", text)
    return _sub(r"\((\w+)\)(?==>)", r"\1", text) + "\n"


def _sub(pattern: str, new: str, text: str) -> str:
    """`re.sub` outside of strings and Jinja's expressions."""
    return re.sub(f"{_SKIP}|{pattern}", lambda m: m[0] if m[0].startswith(('"', "{{")) else m.expand(new), text)


def _rename(statements: list[str]) -> list[str]:
    code = "\n".join(statements)
    outer = _declared(_TOP_DECLARED, code)
    inner = [_declared(_DECLARED, statement) - outer for statement in statements]
    foreign = set(_names(code)) - outer.union(*inner)
    by_use = [name for name, _ in Counter(name for name in _names(code) if name in outer).most_common()]
    new_outer = dict(zip(by_use, _fresh(_OUTER, foreign), strict=False))
    renamed = []
    for statement, own in zip(statements, inner, strict=True):
        here = dict.fromkeys(_names(statement))
        taken = foreign | {new_outer[name] for name in here if name in outer}
        new = new_outer | dict(zip((name for name in here if name in own), _fresh(_INNER, taken), strict=False))
        renamed.append(_NAME.sub(lambda m, new=new: new.get(m[1], m[0]) if m[1] else m[0], statement))  # type: ignore[misc]
    return renamed


def _declared(pattern: re.Pattern[str], code: str) -> set[str]:
    return {name.strip() for groups in pattern.findall(code) for part in groups for name in part.split(",")} - {""}


def _names(code: str) -> list[str]:
    return [match[1] for match in _NAME.finditer(code) if match[1]]


def _fresh(letters: str, taken: set[str]) -> list[str]:
    pairs = (a + b for a in letters for b in letters)
    return [name for name in chain(letters, pairs) if name not in taken]


def _join_constants(statements: list[str]) -> list[str]:
    """`const a = 1; const b = 2;` of the outer function as `const a = 1, b = 2;`."""
    joined = statements[:1]
    for before, statement in pairwise(statements):
        if before.startswith("  const ") and statement.startswith("  const "):
            joined[-1] = joined[-1].removesuffix(";") + ","
            statement = statement.removeprefix("  const ")
        joined.append(statement)
    return joined
