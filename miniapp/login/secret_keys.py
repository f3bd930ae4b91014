"""Read Flask's secret keys and refuse those that can be guessed: with any of them, anybody signs any login."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem
from ..settings import read_environment

LENGTH_MIN = 16
"""Characters of a key: 128 bits at the very most. Below it, the signature of a login could be guessed."""
DIFFERENT_MIN = 6
"""Different characters of a key. Of 16 random hexadecimal digits, one key in 28,000 has fewer."""
REST_MIN = 8
"""Characters that a key has beside the words of `_FILLER`."""

FALLBACKS = "SECRET_KEY_FALLBACKS"
_NEW_KEY = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))", and keep it in .env.'
_OLD_KEY = f"{FALLBACKS} = [key for key in (os.environ.get('OLD_SECRET_KEY'),) if key]"

# What placeholders are made of, capitals and punctuation aside. Longer words first: an alternation takes the first.
_FILLER = re.compile(
    "0123456789abcdef|abcdefghijklmnopqrstuvwxyz|development|application|placeholder|0123456789|1234567890|"
    "passphrase|production|qwertyuiop|123456789|something|generate|insecure|password|passw0rd|12345678|"
    "another|changed|default|example|letmein|miniapp|private|replace|session|testing|123456|abcdef|before|change|"
    "insert|please|qwerty|random|secret|secure|string|flask|guess|never|super|token|value|here|long|prod|test|"
    "this|very|will|with|your|dev|for|key|use|you"
)
_PUBLISHED = (  # examples in Flask's own documentation, now and earlier
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    '_5#y2L"F4Q8z\n\xec]/',
    "A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
)


def read_secret_key(
    config: Mapping[str, Any], env_file: str | Path | None
) -> tuple[str | bytes | None, Problem | None]:
    """Return Flask's SECRET_KEY from `config`, the environment or `env_file`, and what is wrong with it."""
    value = config.get("SECRET_KEY") or read_environment(env_file).get("SECRET_KEY")
    weakness = _weakness(value)
    return (None, Problem("SECRET_KEY", weakness, _NEW_KEY)) if weakness else (value, None)


def read_fallback_keys(config: Mapping[str, Any]) -> tuple[tuple[str | bytes, ...], list[Problem]]:
    """Return Flask's SECRET_KEY_FALLBACKS from `config`, and what is wrong with each.

    Each must be as good as SECRET_KEY. No iterator is taken: what was read here would be missing for Flask.
    """
    value = config.get(FALLBACKS)
    if value is None:
        return (), []
    if not isinstance(value, list | tuple | set | frozenset):
        letters = ", which is a list of letters" if isinstance(value, str | bytes) else ""
        what = f"is {type(value).__name__}{letters}. A list of keys is needed."
        return (), [Problem(FALLBACKS, what, f"Write {FALLBACKS} = [old_key], or leave it out.")]
    entries, problems = tuple(value), []
    for at, entry in enumerate(entries):
        weakness = _weakness(entry)
        if weakness:
            fix = "Take it out: with the next page that they open, people are logged in again."
            if not entry:
                fix = f"Leave it out where there is no old key: {_OLD_KEY}"
            problems.append(Problem(f"{FALLBACKS}[{at}]", weakness, fix))
    return (() if problems else entries), problems


def signing_keys(secret_key: str | bytes, fallbacks: Iterable[str | bytes]) -> list[bytes]:
    """Return the keys as signers take them: the fallbacks, then the one that signs."""
    return [key.encode() if isinstance(key, str) else key for key in (*fallbacks, secret_key)]


def _weakness(key: Any) -> str | None:
    """Return why `key` can't sign logins, or None."""
    if key is None or (isinstance(key, str | bytes) and not key):
        return "is not set."
    if not isinstance(key, str | bytes):
        return f"is {type(key).__name__}, not text."
    text = key if isinstance(key, str) else key.decode("latin-1")
    published = text in _PUBLISHED
    if written := isinstance(key, str) or key.isascii():  # in random bytes, a blank is as random as the rest
        text = "".join(text.split())
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "has characters that are not UTF-8."
    if len(text) < LENGTH_MIN:
        return f"is shorter than {LENGTH_MIN} characters, blanks not counted."
    if len(set(text)) < DIFFERENT_MIN:
        return f"has fewer than {DIFFERENT_MIN} different characters."
    if any(text.startswith(text[period:]) for period in range(1, min(LENGTH_MIN, len(text) // 2 + 1))):
        return f"repeats fewer than {LENGTH_MIN} characters."
    words = re.sub(r"[\W_]+", "", text.casefold())
    if published or (written and len(_FILLER.sub("", words)) < REST_MIN):
        return "is a placeholder or a published example, which anybody can guess."
    return None
