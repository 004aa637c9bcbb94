"""Calling a method of any contract with plain JSON, as an operator does."""

from __future__ import annotations

import asyncio
import difflib
from typing import Any

import msgspec

from ramet.contract.calling import calling, late
from ramet.contract.codec import MethodCodec
from ramet.contract.declared import Declared, DeclaredContract, DeclaredMethod
from ramet.errors import InvalidArguments, Refusal
from ramet.runtime.operators.requests import Call, Called, Refused
from ramet.runtime.running import Running
from ramet.telemetry.context import current_context


async def call(running: Running, request: Call) -> Called:
    """The result, or the refusal. Raises: InvalidArguments, CallError."""
    contract, method = find(running.declared, request.contract, request.method)
    try:
        arguments = MethodCodec(method).convert_arguments(request.arguments)
    except InvalidArguments as error:
        raise InvalidArguments(f"{contract.name}.{error}") from error
    client: Any = running.client(contract.cls)
    limit = running.clock.monotonic() + request.timeout_seconds
    token = current_context.set(msgspec.structs.replace(running.exchange.new_context(), deadline=limit))
    timer = asyncio.timeout(request.timeout_seconds)
    try:
        async with timer, calling(key=request.key):
            result = await getattr(client, method.name)(**arguments)
    except TimeoutError as error:
        if not timer.expired():
            raise
        sentence = f"{contract.name}.{method.name} was not answered within {request.timeout_seconds:g} s."
        raise late(error, sentence) from error
    except Refusal as refusal:
        facts = msgspec.to_builtins(refusal.facts, enc_hook=str)
        return Called(refused=Refused(kind=type(refusal).__name__, message=str(refusal), facts=facts))
    finally:
        current_context.reset(token)
    try:
        return Called(result=msgspec.to_builtins(result))
    except (TypeError, ValueError) as error:
        raise InvalidArguments(f"{contract.name}.{method.name} returned what cannot be encoded: {error}.") from error


def find(declared: Declared, contract: str, method: str) -> tuple[DeclaredContract, DeclaredMethod]:
    """By the names on the wire, or the classes'. Raises: InvalidArguments that names what there is."""
    served = [service.contract for service in declared.services]
    served += [external.contract for external in declared.externals]
    found = next((one for one in served if contract in (one.name, one.cls.__name__)), None)
    if found is None:
        raise InvalidArguments(f'There is no contract "{contract}"; {_choice(contract, [one.name for one in served])}')
    if method not in found.methods:
        raise InvalidArguments(f'{found.name} has no method "{method}"; {_choice(method, list(found.methods))}')
    return found, found.methods[method]


def _choice(wrong: str, known: list[str]) -> str:
    close = difflib.get_close_matches(wrong, known, 1)
    return (
        f'did you mean "{close[0]}"?'
        if close
        else f"there {'is' if len(known) == 1 else 'are'} {', '.join(known) or 'none'}."
    )
