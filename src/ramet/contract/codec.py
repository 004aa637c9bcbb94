"""How a method's arguments, result and refusals become bytes, and come back as what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ramet import errors
from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.contract.refusals import refusal_facts
from ramet.errors import (
    CallError,
    Denied,
    InternalError,
    InvalidArguments,
    NotFound,
    RametError,
    Refusal,
    Unauthenticated,
)

_encode = msgspec.msgpack.encode
TRAVELLING = (CallError, Unauthenticated, Denied, NotFound)
"""What a method may end with besides its declared refusals."""


class Answer(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a call ended with, encoded: a result, or the name and facts of a refusal, or of an error."""

    result: msgspec.Raw = msgspec.Raw(_encode(None))
    refusal: str = ""
    facts: msgspec.Raw = msgspec.Raw(_encode(None))
    error: str = ""
    detail: tuple[str, ...] = ()


_refusal_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_answer_decoder = msgspec.msgpack.Decoder(Answer)
_ERRORS: dict[str, type[RametError]] = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TRAVELLING)
}


class RefusalCodec:
    """One refusal's facts."""

    def __init__(self, kind: type[Refusal]) -> None:
        self.kind = kind
        facts = [
            (name, hint) if name not in kind._defaults else (name, hint, kind._defaults[name])
            for name, hint in refusal_facts(kind).items()
        ]
        self._decoder = msgspec.msgpack.Decoder(msgspec.defstruct(kind.__name__, facts, kw_only=True))

    def decode(self, facts: bytes) -> Refusal:
        """The refusal with these facts."""
        return self.kind(**msgspec.structs.asdict(self._decoder.decode(facts)))


class MethodCodec:
    """One method's arguments and answer, as MessagePack.

    Arguments are an array in the order of the contract; parameters added at its end with a default may be left out.
    """

    def __init__(self, method: DeclaredMethod) -> None:
        self.method = method
        fields = [
            (name, hint) if default is NO_DEFAULT else (name, hint, default)
            for name, hint, default in method.parameters
        ]
        self.arguments = msgspec.defstruct(f"{method.name}_arguments", fields, array_like=True, frozen=True)
        self._names = tuple(name for name, _, _ in method.parameters)
        self._arguments_decoder = msgspec.msgpack.Decoder(self.arguments)
        self._result_decoder = msgspec.msgpack.Decoder(method.result)
        self._refusals = {refusal.__name__: RefusalCodec(refusal) for refusal in method.refuses}

    def encode_arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Raises: InvalidArguments that says what does not fit."""
        try:
            return _encode(self.arguments(*args, **kwargs))
        except TypeError as error:
            raise InvalidArguments(f"{self.method.name}: {error}.") from error

    def decode_arguments(self, data: bytes) -> tuple[Any, ...]:
        """Raises: InvalidArguments that says what does not fit, and where."""
        try:
            arguments = self._arguments_decoder.decode(data)
        except msgspec.DecodeError as error:
            raise InvalidArguments(f"{self.method.name}: {error}.") from error
        return tuple(getattr(arguments, name) for name in self._names)

    def convert_arguments(self, fields: Mapping[str, Any]) -> tuple[Any, ...]:
        """Arguments from plain JSON values by name. Raises: InvalidArguments that says what does not fit, and where."""
        unknown = [name for name in fields if name not in self._names]
        if unknown:
            takes = ", ".join(self._names) or "nothing"
            raise InvalidArguments(f'{self.method.name} has no parameter "{unknown[0]}"; it takes {takes}.')
        ready = []
        for name, hint, default in self.method.parameters:
            if name not in fields and default is NO_DEFAULT:
                raise InvalidArguments(f'{self.method.name}: the argument "{name}" is missing.')
            try:
                ready.append(msgspec.convert(fields[name], hint) if name in fields else default)
            except msgspec.ValidationError as error:
                raise InvalidArguments(f'{self.method.name}: the argument "{name}": {error}.') from error
        return tuple(ready)

    def encode_value(self, result: Any) -> bytes:
        """A result, as it is recorded."""
        return _encode(result)

    def decode_value(self, data: bytes) -> Any:
        """A recorded result."""
        return self._result_decoder.decode(data)

    def encode_refusal(self, refusal: Refusal) -> bytes:
        """A refusal, as it is recorded."""
        return _encode((type(refusal).__name__, msgspec.Raw(_encode(refusal.facts))))

    def decode_refusal(self, data: bytes) -> Refusal:
        """A recorded refusal."""
        name, facts = _refusal_decoder.decode(data)
        return self._refusals[name].decode(facts)

    def encode_result(self, result: Any) -> bytes:
        """The answer of a call that succeeded."""
        return _encode(Answer(result=msgspec.Raw(_encode(result))))

    def encode_error(self, error: RametError) -> bytes:
        """The answer of a call that did not."""
        if isinstance(error, Refusal):
            return _encode(Answer(refusal=type(error).__name__, facts=msgspec.Raw(_encode(error.facts))))
        if isinstance(error, InternalError):
            return _encode(Answer(error="InternalError", detail=(error.id, error.where)))
        return _encode(Answer(error=type(error).__name__, detail=(str(error),)))

    def decode_answer(self, data: bytes) -> Any:
        """The result; or raises the refusal or error that the call ended with."""
        answer = _answer_decoder.decode(data)
        if answer.refusal:
            codec = self._refusals.get(answer.refusal)
            if codec is None:
                raise CallError(f"{self.method.name} refused with {answer.refusal}, which its contract does not name.")
            raise codec.decode(answer.facts)
        if answer.error:
            raise _ERRORS.get(answer.error, CallError)(*answer.detail)
        return self._result_decoder.decode(answer.result)
