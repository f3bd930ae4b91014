"""Sentences for the people who use a mini app: plain, translatable, and without a word about keys or settings.

What a developer needs to know goes to the log, and in debug mode into the answer.
"""

from __future__ import annotations

from flask import current_app


def N_(sentence: str) -> str:  # noqa: N802 (the name by which Babel and gettext know it)
    """Mark `sentence` for `pybabel extract`; `text` translates it."""
    return sentence


TEXTS: dict[str, str] = {
    "host_unreachable": N_("OneChat does not answer at the moment. Please try again."),
    "host_busy": N_("OneChat is busy at the moment. Please try again."),
    "host_nonsense": N_("Something went wrong between this mini app and OneChat. Please try again later."),
    "host_refused": N_("OneChat did not accept this. Please try again later."),
    "signed_out": N_("You are not signed in. Please open this mini app again."),
    "refused": N_("OneChat does not know this session. Please close this mini app and open it again."),
    "outbox_database": N_("This is not possible at the moment. Please try again later."),
    "too_many_attempts": N_("Too many tries. Please wait a minute."),
    # what the shim says by itself, in the browser
    "not_in_host": N_("Open this page in OneChat."),
    "timeout": N_("No answer. Try again."),
    "unreachable": N_("No answer. Try again."),
    "again": N_("Try again"),
    # the 401 page
    "signing_in": N_("Signing in…"),
    "no_script": N_("This page needs JavaScript."),
}
"""Error code → sentence. The sentence is also the key for translations."""

SHIM = ("not_in_host", "timeout", "unreachable", "signed_out", "again")
"""The codes whose sentences the shim shows on the 401 page."""


def text(code: str) -> str | None:
    """Return the sentence for an error code, translated by Flask-Babel if the app uses that; None if there is none."""
    found = TEXTS.get(code)
    return found if found is None else translate(found)


def translate(sentence: str) -> str:
    """Return `sentence` in the request's language, if the app uses Flask-Babel and has a translation."""
    if not translates():
        return sentence
    from flask_babel import gettext

    return str(gettext(sentence))


def translates() -> bool:
    """Return whether the current app uses Flask-Babel."""
    return "babel" in current_app.extensions
