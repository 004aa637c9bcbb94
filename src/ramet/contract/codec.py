"""How a method's arguments, result and refusals become bytes, and come back as what they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import GenericAlias
from typing import Any

import msgspec

from ramet import errors
from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.contract.reading.refusals import refusal_facts
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
_POSITION = re.compile(r"(?P<what>.*) - at (?P<key>(?:`\w+` in )?)`\$\[(?P<at>\d+)\](?P<rest>.*)`", re.DOTALL)
"""How a decoder says where in an array something does not fit."""
TRAVELLING = (CallError, Unauthenticated, Denied, NotFound)
"""What a method may end with besides its declared refusals."""


class Answer(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a call ended with, encoded: a result, or the name and facts of a refusal, or of an error."""

    result: msgspec.Raw = msgspec.Raw(_encode(None))
    refusal: str = ""
    facts: msgspec.Raw = msgspec.Raw(_encode(None))
    error: str = ""
    detail: tuple[str, ...] = ()


SUCCESS = b"\x91"
"""How an `Answer` begins that has a result and nothing else: an array of one."""
_refusal_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_answer_decoder = msgspec.msgpack.Decoder(Answer)
_ERRORS: dict[str, type[RametError]] = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TRAVELLING)
}
UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError)
"""What encoding raises: no such type, no such text, too large, without end."""


def encode_error(error: RametError) -> bytes:
    """The answer of a call that ended with an error of calls."""
    if isinstance(error, InternalError):
        return _encode(Answer(error="InternalError", detail=(error.id, error.where)))
    known = next((kind.__name__ for kind in type(error).__mro__ if _ERRORS.get(kind.__name__) is kind), "CallError")
    return _encode(Answer(error=known, detail=(str(error),)))


class RefusalCodec:
    """One refusal's facts. A subclass of the refusal travels as the refusal, which is all that callers know."""

    def __init__(self, kind: type[Refusal]) -> None:
        self.kind = kind
        hints = refusal_facts(kind)
        facts = [
            (name, hint) if name not in kind.defaults() else (name, hint, kind.defaults()[name])
            for name, hint in hints.items()
        ]
        self._names = tuple(hints)
        self._decoder = msgspec.msgpack.Decoder(msgspec.defstruct(kind.__name__, facts, kw_only=True))

    def encode(self, refusal: Refusal) -> msgspec.Raw:
        """The facts by name."""
        return msgspec.Raw(_encode({name: getattr(refusal, name) for name in self._names}))

    def decode(self, facts: bytes) -> Refusal:
        """The refusal with these facts; a newer sender's further ones are left out."""
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
        self._names = tuple(name for name, _, _ in method.parameters)
        self._arguments = msgspec.defstruct(
            f"{method.name}_arguments", fields, array_like=True, frozen=True, kw_only=True
        )
        self._arguments_decoder = msgspec.msgpack.Decoder(self._arguments)
        self._result_decoder = msgspec.msgpack.Decoder(method.result)
        self._success_decoder = msgspec.msgpack.Decoder(GenericAlias(tuple, (method.result,)))
        self._refusals = {refusal.__name__: RefusalCodec(refusal) for refusal in method.refuses}

    def encode_arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Raises: InvalidArguments that says what does not fit."""
        try:
            if len(args) > len(self._names):
                raise TypeError(f"it takes {len(self._names)} arguments, and {len(args)} were given")
            return _encode(self._arguments(**dict(zip(self._names, args, strict=False)), **kwargs))
        except UNENCODABLE as error:
            raise InvalidArguments(f"{self.method.name}: {error}.") from error

    def encode_values(self, args: tuple[Any, ...]) -> bytes:
        """All arguments in order, as a client proxy has them. Raises: InvalidArguments that says what does not fit."""
        try:
            return _encode(args)
        except UNENCODABLE as error:
            raise InvalidArguments(f"{self.method.name}: {self._unencodable(args)}{error}.") from error

    def _unencodable(self, args: tuple[Any, ...]) -> str:
        """Which argument it is that cannot travel."""
        for name, value in zip(self._names, args, strict=False):
            try:
                _encode(value)
            except UNENCODABLE:
                return f'the argument "{name}": '
        return ""

    def decode_arguments(self, data: bytes) -> tuple[Any, ...]:
        """Raises: InvalidArguments that says what does not fit, and where."""
        try:
            return msgspec.structs.astuple(self._arguments_decoder.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidArguments(f"{self.method.name}: {self._placed(str(error))}.") from error

    def _placed(self, complaint: str) -> str:
        """What the decoder complains of, with the argument's name for its position, as `_convert` says it."""
        found = _POSITION.fullmatch(complaint)
        if found is None or int(found["at"]) >= len(self._names):
            return complaint
        inside = f" - at {found['key']}`${found['rest']}`" if found["key"] or found["rest"] else ""
        return f'the argument "{self._names[int(found["at"])]}": {found["what"]}{inside}'

    def convert_arguments(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name from plain JSON values by name; those that are left out have their defaults.

        Raises: InvalidArguments that says what does not fit, and where.
        """
        unknown = [name for name in fields if name not in self._names]
        if unknown:
            takes = ", ".join(self._names) or "nothing"
            raise InvalidArguments(f'{self.method.name} has no parameter "{unknown[0]}"; it takes {takes}.')
        return {name: self._convert(name, hint, default, fields) for name, hint, default in self.method.parameters}

    def _convert(self, name: str, hint: Any, default: Any, fields: Mapping[str, Any]) -> Any:
        if name not in fields:
            if default is NO_DEFAULT:
                raise InvalidArguments(f'{self.method.name}: the argument "{name}" is missing.')
            return default
        try:
            return msgspec.convert(fields[name], hint)
        except msgspec.ValidationError as error:
            raise InvalidArguments(f'{self.method.name}: the argument "{name}": {error}.') from error

    def encode_value(self, result: Any) -> bytes:
        """A result, as it is recorded."""
        return _encode(result)

    def decode_value(self, data: bytes) -> Any:
        """A recorded result. Raises: CallError where it no longer fits the contract."""
        try:
            return self._result_decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._misfit(error) from error

    def _misfit(self, error: Exception) -> CallError:
        return CallError(f"{self.method.name} answered what does not fit its contract: {error}.")

    def encode_refusal(self, refusal: Refusal) -> bytes:
        """A refusal, as it is recorded."""
        return _encode(self._refused(refusal))

    def decode_refusal(self, data: bytes) -> Refusal:
        """A recorded refusal. Raises: CallError where the contract does not name it any more."""
        return self._refusal(*_refusal_decoder.decode(data))

    def encode_result(self, result: Any) -> bytes:
        """The answer of a call that succeeded: an `Answer` with nothing but a result, encoded in one go."""
        return _encode((result,))

    def encode_error(self, error: RametError) -> bytes:
        """The answer of a call that did not."""
        if isinstance(error, Refusal):
            name, facts = self._refused(error)
            return _encode(Answer(refusal=name, facts=facts))
        return encode_error(error)

    def decode_answer(self, data: bytes) -> Any:
        """The result; or raises the refusal or error that the call ended with."""
        if data[:1] == SUCCESS:
            try:
                return self._success_decoder.decode(data)[0]
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._misfit(error) from error
        try:
            answer = _answer_decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CallError(f"{self.method.name}: the answer cannot be read: {error}.") from error
        if answer.refusal:
            raise self._refusal(answer.refusal, answer.facts)
        if answer.error:
            raise _ERRORS.get(answer.error, CallError)(*answer.detail)
        return self.decode_value(answer.result)

    def _refused(self, refusal: Refusal) -> tuple[str, msgspec.Raw]:
        for kind in type(refusal).__mro__:
            codec = self._refusals.get(kind.__name__)
            if codec is not None and codec.kind is kind:
                return kind.__name__, codec.encode(refusal)
        return type(refusal).__name__, msgspec.Raw(_encode(refusal.facts))

    def _refusal(self, name: str, facts: bytes) -> Refusal:
        codec = self._refusals.get(name)
        if codec is None:
            raise CallError(f"{self.method.name} refused with {name}, which its contract does not name.")
        try:
            return codec.decode(facts)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CallError(f"{self.method.name} refused with a {name} that cannot be read: {error}.") from error
