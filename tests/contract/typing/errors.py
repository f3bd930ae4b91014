"""Use the public errors as an app's author does: caught by their base, read by their fields. mypy checks this file."""

from typing import assert_type

from miniapp import (
    ConfigurationError,
    HostBusy,
    HostError,
    HostNonsense,
    HostRefused,
    HostUnreachable,
    JIDError,
    LedgerError,
    MessageError,
    MiniAppError,
)
from miniapp.errors import Problem
from miniapp.outbox import KeyTakenError, NoBulkError

of_miniapp: list[type[MiniAppError]] = [
    ConfigurationError,
    HostError,
    JIDError,
    KeyTakenError,
    LedgerError,
    MessageError,
    NoBulkError,
]
of_host: list[type[HostError]] = [HostUnreachable, HostRefused, HostNonsense]
of_refusal: list[type[HostRefused]] = [HostBusy]
of_value: list[type[ValueError]] = [JIDError, MessageError, KeyTakenError]
of_lookup: list[type[LookupError]] = [NoBulkError]


def read(error: MiniAppError, busy: HostBusy, configuration: ConfigurationError) -> None:
    """Read what the errors say."""
    assert_type(error.code, str)
    assert_type(error.message, str)
    assert_type(error.hint, str)
    assert_type(busy.call, str)
    assert_type(busy.maybe_done, bool)
    assert_type(busy.status, int)
    assert_type(busy.description, str)
    assert_type(busy.retry_after, float | None)
    assert_type(configuration.problems, tuple[Problem, ...])
    assert_type(configuration.problems[0].key, str)


try:
    read(*[])
except (HostUnreachable, HostRefused) as error:
    assert_type(error, HostUnreachable | HostRefused)
    assert_type(error.maybe_done, bool)
except MiniAppError as error:
    error.retry_after  # type: ignore[attr-defined] # noqa: B018
