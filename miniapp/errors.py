"""Every error this package raises.

    MiniAppError                 .code  .message  .hint
    ├── ConfigurationError       .problems: all that is wrong with the settings, at once
    ├── JIDError                 not a JID, or not of the kind that was asked for (a ValueError)
    ├── MessageError             a text that can't be sent: empty, too long, not XML text (a ValueError)
    ├── ScaffoldError            a project can't be made as asked
    ├── LedgerError              the outbox's database can't be used                             (503)
    └── HostError                a call to the host did not succeed  .call  .maybe_done
        ├── HostUnreachable      no answer: name, connection, TLS, time-out, cut off; or 5xx     (503)
        ├── HostRefused          the host answered `Error`           .status  .description        (502; a login: 401)
        │   └── HostBusy         … since there were too many calls   .retry_after                 (503)
        └── HostNonsense         the host answered something that its documentation doesn't know  (502)

In brackets: the status of our own answer where a view lets the error through.

No error carries a request, a header, a body or a key: whatever logs one logs no secret.
"""

from __future__ import annotations

from dataclasses import dataclass


class MiniAppError(Exception):
    """The root of the tree.

    `code` is a stable word for programs and for `docs/errors.md`; `message` says what happened and why;
    `hint` says what to do next.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


@dataclass(frozen=True)
class Problem:
    """One setting that is wrong: its `key`, what is wrong with it, and how to mend it. Never its value."""

    key: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what} {self.fix}"


class ConfigurationError(MiniAppError):
    """The settings don't do; `problems` has every one of them, so that one look is enough."""

    code = "configuration"

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s) in the setup of the app:\n{lines}")


class JIDError(MiniAppError, ValueError):
    """Not a JID, or a JID of the wrong kind for the call."""

    code = "jid"


class MessageError(MiniAppError, ValueError):
    """A text that OneChat can't carry."""

    code = "message"


class ScaffoldError(MiniAppError):
    """A project can't be made so, or there."""

    code = "scaffold"


class LedgerError(MiniAppError):
    """The outbox's database does not answer, is locked or damaged, or can't be used by this process."""

    code = "outbox_database"


class HostError(MiniAppError):
    """A call to the host failed.

    `call` is the name of the REST call, such as `singleMessage`. `maybe_done` is False only where the host
    surely did nothing (never reached, or refused), so that a repeat does no harm.
    """

    code = "host"

    def __init__(self, message: str, *, call: str, maybe_done: bool, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.call = call
        self.maybe_done = maybe_done


class HostUnreachable(HostError):
    """No whole answer came in time, or HTTP 5xx. Pages answer 503 with Retry-After."""

    code = "host_unreachable"


class HostRefused(HostError):
    """The host answered `Error`. `description` holds its words, `status` the HTTP status it came with."""

    code = "host_refused"

    def __init__(self, description: str, *, call: str, status: int, hint: str = "", code: str | None = None) -> None:
        super().__init__(f"OneChat refused {call}: {description}", call=call, maybe_done=False, hint=hint, code=code)
        self.description = description
        self.status = status


class HostBusy(HostRefused):
    """The host answered 429. `retry_after` is what it asked for, in seconds, or None if it didn't say."""

    code = "host_busy"

    def __init__(self, description: str, *, call: str, status: int, retry_after: float | None) -> None:
        super().__init__(description, call=call, status=status, hint="Try again later.")
        self.retry_after = retry_after


class HostNonsense(HostError):
    """The host's answer is not what its documentation describes. Pages answer 502."""

    code = "host_nonsense"
