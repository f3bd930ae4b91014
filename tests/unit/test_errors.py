"""The errors: one tree, stable codes, nothing in them that must not be shown."""

import re

import pytest

from miniapp import errors
from miniapp.errors import (
    ConfigurationError,
    HostBusy,
    HostError,
    HostNonsense,
    HostRefused,
    HostUnreachable,
    MiniAppError,
    Problem,
)


def everyone(kind: type = MiniAppError) -> list[type[MiniAppError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in everyone(child))]


OURS = [kind for kind in everyone() if kind.__module__ == errors.__name__]
DRAWN = re.compile(r"(?<=[─ ] )\b[A-Z]\w+(?=  )")


@pytest.mark.parametrize("kind", OURS)
def test_every_error_is_in_the_drawing(kind: type[MiniAppError]) -> None:
    """The tree at the top of `errors.py` shows each class under its parent, and no other."""
    drawn = [DRAWN.search(line) for line in str(errors.__doc__).splitlines()]
    lines = [(match.start(), match[0]) for match in drawn if match]
    names = [name for _, name in lines]
    assert sorted(names) == sorted(kind.__name__ for kind in OURS)
    place = names.index(kind.__name__)
    depth = lines[place][0]
    above = [name for indent, name in lines[:place] if indent < depth]
    assert kind is MiniAppError or kind.__bases__[0].__name__ == above[-1]


def test_codes_are_stable_and_distinct() -> None:
    """Each class has a code of its own, for programs and for the page of errors."""
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z_]+", code) for code in codes)


def test_an_error_shows_message_and_hint() -> None:
    """`str` of an error is what happened and what to do; a code given replaces the class's."""
    error = MiniAppError("It broke.", hint="Mend it.", code="broken")
    assert str(error) == "It broke. Mend it."
    assert (error.message, error.hint, error.code) == ("It broke.", "Mend it.", "broken")
    assert str(MiniAppError("It broke.")) == "It broke."
    assert MiniAppError.code == "error"


def test_a_configuration_error_lists_every_problem() -> None:
    """One look at the error shows all that is to be mended."""
    error = ConfigurationError([Problem("ONECHAT_A", "is bad.", "Mend it."), Problem("ONECHAT_B", "is worse.", "Too.")])
    assert str(error).splitlines() == [
        "2 problem(s) in the setup of the app:",
        "  - ONECHAT_A: is bad. Mend it.",
        "  - ONECHAT_B: is worse. Too.",
    ]


def test_a_refusal_means_that_nothing_was_done() -> None:
    """Refused and busy calls did nothing; the other two kinds say what is known."""
    refused = HostRefused("Unauthorized", call="singleMessage", status=401)
    busy = HostBusy("slow down", call="singleMessage", status=429, retry_after=7.0)
    assert isinstance(busy, HostRefused)
    assert not refused.maybe_done
    assert not busy.maybe_done
    assert (busy.retry_after, busy.status, busy.call) == (7.0, 429, "singleMessage")
    assert "Unauthorized" in str(refused)
    for kind in (HostUnreachable, HostNonsense):
        assert kind("x", call="y", maybe_done=True).maybe_done
        assert isinstance(kind("x", call="y", maybe_done=False), HostError)
