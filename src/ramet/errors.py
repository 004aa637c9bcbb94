"""Every exception of Ramet, in one tree.

RametError
├── Refusal                  a typed "no" declared by a contract: rolls back, crosses the wire, is never retried
├── CallError                a call did not end with an answer
│   ├── Unavailable          nobody could serve it; provably not executed
│   │   ├── Overloaded       refused at the door, because too much is in flight
│   │   └── NoSuchMethod     who was asked does not have the method: it is of another release
│   ├── DeadlineExceeded     the time was up; what had been written is rolled back
│   ├── OutcomeUnknown       it may or may not have been executed
│   ├── InternalError        the callee failed; only an id crosses the boundary, the details are in its log
│   ├── InvalidArguments     the arguments do not fit the contract
│   └── Cancelled            the key of this call was withdrawn before the call arrived
├── Unauthenticated          the caller is not known
├── Denied                   the caller is known, and may not
├── NotFound                 what was asked for does not exist
├── UsageError               the program broke a rule of the design
│   ├── CommandAfterWrite    a command of another service was called after this one has written
│   ├── EffectInQuery        a query tried to write, publish, start a saga or call a command
│   └── OutsideWork          the database, publish or start was used where no unit of work is open
├── DeclarationError         the application is declared wrongly; carries every problem found
├── ConfigurationError       a file, variable or option is wrong
├── IncompatibleRelease      work in flight would be stranded by this release
├── StorageError             the database failed
│   ├── DuplicateRow         a row with this key is there already
│   ├── StorageUnavailable   its server is not there, or its disk is full; provably nothing was committed
│   │   └── StorageRefused   it is read only, or has withdrawn a login or a right
│   └── CommitUnknown        its server was lost during a commit, which may have happened or not
└── MissingExtra             an optional library is not installed
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, dataclass_transform

DOCS = "urn:ramet:error:"
"""Begins the `type` of a problem; the rest is the code, which names a section of docs/reference/errors.md."""


class RametError(Exception):
    """The root. `code` is stable, and names the section of docs/reference/errors.md that explains the error."""

    code: ClassVar[str] = "ramet"


@dataclass_transform(kw_only_default=True)
class Refusal(RametError):
    """A typed "no": a subclass declares its facts as annotated fields, and its docstring may name them in braces.

    >>> class OutOfStock(Refusal):
    ...     '''There are not enough of {sku}.'''
    ...     sku: str
    >>> str(OutOfStock(sku="tea"))
    'There are not enough of tea.'

    `status` is the HTTP status a public API answers with when the refusal reaches it.
    """

    code = "refused"
    status: ClassVar[int] = 409
    _defaults: ClassVar[Mapping[str, Any]] = {}
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, status: int | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if status is not None:
            cls.status = status
        own = tuple(
            name
            for name, hint in inspect.get_annotations(cls).items()
            if not name.startswith("_") and "ClassVar" not in str(hint)
        )
        cls._fields = (*(name for name in cls._fields if name not in own), *own)
        cls._defaults = {**cls._defaults, **{name: cls.__dict__[name] for name in own if name in cls.__dict__}}

    def __init__(self, **facts: Any) -> None:
        unknown = [name for name in facts if name not in self._fields]
        missing = [name for name in self._fields if name not in facts and name not in self._defaults]
        if unknown or missing:
            raise TypeError(
                f"{type(self).__qualname__} takes {', '.join(self._fields) or 'no facts'}"
                + (f"; missing: {', '.join(missing)}" if missing else "")
                + (f"; unknown: {', '.join(unknown)}" if unknown else "")
            )
        values = {**self._defaults, **facts}
        for name in self._fields:
            setattr(self, name, values[name])
        super().__init__()

    @classmethod
    def defaults(cls) -> Mapping[str, Any]:
        """The facts that need not be given, with what they are then."""
        return cls._defaults

    @property
    def facts(self) -> dict[str, Any]:
        """The declared fields with their values."""
        return {name: getattr(self, name) for name in self._fields}

    def __str__(self) -> str:
        sentence = (type(self).__doc__ or "").strip().split("\n")[0]
        try:
            sentence = sentence.format(**self.facts)
        except (LookupError, ValueError, AttributeError):
            pass
        return sentence or f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.facts.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_refusal, (type(self), self.facts)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Refusal) and other.facts == self.facts

    __hash__ = Exception.__hash__


def _rebuild_refusal(kind: type[Refusal], facts: dict[str, Any]) -> Refusal:
    return kind(**facts)


class CallError(RametError):
    """A call ended without an answer of the callee."""

    code = "call-failed"


class Unavailable(CallError):
    """Nobody could serve the call. It was provably not executed, so it may be repeated."""

    code = "unavailable"


class Overloaded(Unavailable):
    """Refused at the door: too much is in flight already. It was not executed."""

    code = "overloaded"


class NoSuchMethod(Unavailable):
    """Who was asked does not have the method, as where it is of another release. It was not executed."""

    code = "no-such-method"


class DeadlineExceeded(CallError):
    """The time for the call was up; what the callee had written was rolled back."""

    code = "deadline-exceeded"


class OutcomeUnknown(CallError):
    """The call was sent, and no answer came: it may or may not have been executed.

    A call with an idempotency key may be repeated with the same key; one without must be looked into.
    """

    code = "outcome-unknown"


class InternalError(CallError):
    """The callee failed unexpectedly, and its transaction was rolled back. `id` finds the details in its log."""

    code = "internal-error"

    def __init__(self, id: str, where: str) -> None:  # noqa: A002 - the field's name on the wire
        super().__init__(f"{where} failed unexpectedly; its log has the details under error id {id}.")
        self.id, self.where = id, where

    def __reduce__(self) -> tuple[Any, ...]:
        return InternalError, (self.id, self.where)


class InvalidArguments(CallError):
    """The arguments do not fit the contract."""

    code = "invalid-arguments"


class Cancelled(CallError):
    """The idempotency key of this call was withdrawn before the call arrived; it was not executed."""

    code = "cancelled"


class Unauthenticated(RametError):
    """The request does not say who the caller is, or says it in a way that cannot be trusted."""

    code = "unauthenticated"


class Denied(RametError):
    """The caller is known, and may not do this."""

    code = "denied"


class NotFound(RametError):
    """What was asked for does not exist."""

    code = "not-found"


class UsageError(RametError):
    """The program broke a rule of the design; the sentence names the way out."""

    code = "usage"


class CommandAfterWrite(UsageError):
    """A command of another service was called after this one has written."""

    code = "command-after-write"


class EffectInQuery(UsageError):
    """A query tried to write, publish, start a saga or call a command."""

    code = "effect-in-query"


class OutsideWork(UsageError):
    """The database, `publish` or `start` was used where no unit of work is open."""

    code = "outside-work"


class DeclarationError(RametError):
    """The application is declared wrongly. `problems` holds every mistake found, in order of file and line."""

    code = "declaration"

    def __init__(self, problems: Sequence[object]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return DeclarationError, (self.problems,)


class ConfigurationError(RametError):
    """A file, variable or option is wrong. The sentence says what, where, and how to mend it."""

    code = "configuration"


class IncompatibleRelease(RametError):
    """Work in flight would be stranded by this release; `stranded` names it."""

    code = "incompatible-release"

    def __init__(self, message: str, stranded: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.stranded = tuple(stranded)


class StorageError(RametError):
    """The database failed."""

    code = "storage"


class DuplicateRow(StorageError):
    """A row with this key is there already; nothing of the transaction was written."""

    code = "duplicate-row"


class StorageUnavailable(StorageError):
    """The database's server is not there, or its disk is full. Nothing was committed, so the work may be repeated."""

    code = "storage-unavailable"


class StorageRefused(StorageUnavailable):
    """The database's server is there and refuses: it is read only, or the role has lost its login or a right.

    It helps to try again only when somebody has mended that.
    """

    code = "storage-refused"


class CommitUnknown(StorageError):
    """The database's server was lost during a commit: it may or may not have happened.

    Work with an idempotency key may be repeated with the same key; other work must be looked into.
    """

    code = "commit-unknown"


class MissingExtra(RametError):
    """An optional library is not installed; the sentence has the command that installs it."""

    code = "missing-extra"

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {library}: pip install 'ramet[{extra}]'")
        self.library, self.extra, self.purpose = library, extra, purpose

    def __reduce__(self) -> tuple[Any, ...]:
        return MissingExtra, (self.library, self.extra, self.purpose)


def described(error: BaseException) -> str:
    """An error as an operator reads it, in one line that any database takes."""
    return storable(f"{type(error).__name__}: {error}").rstrip(": ")


def is_foreseen(error: BaseException) -> bool:
    """Whether its sentence says it all, that somebody else is away: a log needs no traceback of it."""
    return isinstance(error, (Unavailable, StorageUnavailable, CommitUnknown))


def storable(text: str) -> str:
    """Text in one line, where NUL and half characters, as in names of files that are no text, are written out."""
    return " ".join(text.split()).replace("\0", "\\0").encode(errors="backslashreplace").decode()


def system_words(error: OSError) -> str:
    """What the operating system says, without its numbers and every address that was tried: "connection refused"."""
    number = re.search(r"\[Errno (\d+)\]", str(error))
    return (os.strerror(int(number[1])) if number else error.strerror or str(error) or "no answer").lower()
