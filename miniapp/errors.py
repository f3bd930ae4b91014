"""Every error this package raises.

    MiniAppError                 .code  .message  .hint
    ├── ConfigurationError       .problems: all that is wrong with the settings, at once
    ├── JIDError                 not a JID, or not of the kind that was asked for (a ValueError)
    ├── MessageError             a text that can't be sent: empty, too long, not XML text (a ValueError)
    ├── ScaffoldError            a project can't be made as asked
    ├── TooManyAttempts          too many refused logins of a JID or address  .retry_after       (429)
    ├── LedgerError              the outbox's database can't be used                             (503)
    ├── KeyTakenError            the key belongs to another bulk (a ValueError)
    ├── NoBulkError              the bulk doesn't exist, or its state forbids the change (a LookupError)
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
from enum import StrEnum


class Code(StrEnum):
    """List the stable code of each error, for programs. `docs/errors.md` explains them."""

    ALREADY_RUNNING = "already_running"
    ARGUMENT = "argument"
    BAD_ARGUMENT = "bad_argument"
    BAD_REQUEST = "bad_request"
    CONFIGURATION = "configuration"
    CONFLICT = "conflict"
    DATABASE = "database"
    ENV_FILE = "env_file"
    ERROR = "error"
    FILE = "file"
    FORBIDDEN = "forbidden"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    HIDDEN_PACKAGE = "hidden_package"
    HOST = "host"
    HOST_BUSY = "host_busy"
    HOST_NONSENSE = "host_nonsense"
    HOST_NOT_LOOPBACK = "host_not_loopback"
    HOST_REFUSED = "host_refused"
    HOST_UNREACHABLE = "host_unreachable"
    JID = "jid"
    MESSAGE = "message"
    NO_APP = "no_app"
    NO_COMMAND = "no_command"
    NO_OUTBOX = "no_outbox"
    NO_PROSODY = "no_prosody"
    NO_SANDBOX = "no_sandbox"
    NOT_BUILT = "not_built"
    NOT_FOUND = "not_found"
    NOT_JSON = "not_json"
    NOT_STORED = "not_stored"
    OS = "os"
    OUTBOX_BULK = "outbox_bulk"
    OUTBOX_DATABASE = "outbox_database"
    OUTBOX_FORK = "outbox_fork"
    OUTBOX_KEY = "outbox_key"
    OUTBOX_THREADS = "outbox_threads"
    PORT = "port"
    PROSODY = "prosody"
    REFUSED = "refused"
    REGISTERED = "registered"
    SANDBOX_REFUSED = "sandbox_refused"
    SANDBOX_UNREACHABLE = "sandbox_unreachable"
    SCAFFOLD = "scaffold"
    SEED = "seed"
    SIGNED_OUT = "signed_out"
    STATE_FOLDER = "state_folder"
    TOO_LARGE = "too_large"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    XMPP_SECRET = "xmpp_secret"  # noqa: S105 # a code
    XMPP_SETTINGS = "xmpp_settings"
    XMPP_UNREACHABLE = "xmpp_unreachable"


class MiniAppError(Exception):
    """Report an error of this package: the base class of all the others.

    `code` is a stable word for programs, explained in `docs/errors.md`. `message` says what happened and why, `hint`
    what to do next, or is `""`. `str()` gives both. No error holds a request, a header, a body or a key.
    """

    code: str = Code.ERROR

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
    """Describe one wrong setting: its `key`, what is wrong with it, and the fix. Never its value."""

    key: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what} {self.fix}"


class ConfigurationError(MiniAppError):
    """Report missing or invalid settings, or a view without its guard. `problems` is a tuple of all `Problem`."""

    code = Code.CONFIGURATION

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s) in the setup of the app:\n{lines}")


class JIDError(MiniAppError, ValueError):
    """Report what is not a JID, or a JID of the wrong kind for the call. A view that lets it through answers 400."""

    code = Code.JID


class MessageError(MiniAppError, ValueError):
    """Report a text that can't be sent: empty, over 4096 bytes of UTF-8, or with characters that XML can't carry.

    A view that lets it through answers 400.
    """

    code = Code.MESSAGE


class ScaffoldError(MiniAppError):
    """Report that `miniapp new` can't make a project as asked."""

    code = Code.SCAFFOLD


class LedgerError(MiniAppError):
    """Report that the outbox's database does not answer, is locked or damaged, or can't be used by this process.

    A view that lets it through answers 503. The code is `outbox_database`, `outbox_fork` or `outbox_threads`.
    """

    code = Code.OUTBOX_DATABASE


class KeyTakenError(MiniAppError, ValueError):
    """Report that the key belongs to a bulk with another text, policy or other recipients."""

    code = Code.OUTBOX_KEY


class NoBulkError(MiniAppError, LookupError):
    """Report that the bulk does not exist, or that its state forbids the change."""

    code = Code.OUTBOX_BULK


class TooManyAttempts(MiniAppError):
    """Report too many refused logins of a JID or address. `retry_after` is in seconds. The answer is 429."""

    code = Code.TOO_MANY_ATTEMPTS

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many refused logins.", hint="Try again later.")
        self.retry_after = retry_after


class HostError(MiniAppError):
    """Report that a call to OneChat failed.

    `call` is the name of the REST call, such as `singleMessage`. `maybe_done` is False only where OneChat certainly did
    nothing, since it was not reached or refused: a repeat does no harm then.
    """

    code = Code.HOST

    def __init__(self, message: str, *, call: str, maybe_done: bool, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.call = call
        self.maybe_done = maybe_done


class HostUnreachable(HostError):
    """Report that no whole answer came in time, or an HTTP status 5xx. A view that lets it through answers 503."""

    code = Code.HOST_UNREACHABLE


class HostRefused(HostError):
    """Report that OneChat answered `Error`. `description` has its words, `status` is the HTTP status.

    A view that lets it through answers 502.
    """

    code = Code.HOST_REFUSED

    def __init__(self, description: str, *, call: str, status: int, hint: str = "", code: str | None = None) -> None:
        super().__init__(f"OneChat refused {call}: {description}", call=call, maybe_done=False, hint=hint, code=code)
        self.description = description
        self.status = status


class HostBusy(HostRefused):
    """Report that OneChat answered 429: too many calls.

    `retry_after` is the pause that OneChat asked for, in seconds and 3,600 at most, or None if it named none. A view
    that lets it through answers 503.
    """

    code = Code.HOST_BUSY

    def __init__(self, description: str, *, call: str, status: int, retry_after: float | None) -> None:
        super().__init__(description, call=call, status=status, hint="Try again later.")
        self.retry_after = retry_after


class HostNonsense(HostError):
    """Report an answer that OneChat's page does not describe. A view that lets it through answers 502."""

    code = Code.HOST_NONSENSE
