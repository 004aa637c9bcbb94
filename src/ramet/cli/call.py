"""`ramet call`: call a method of a contract."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import FOUND, Choices, command, operated_option
from ramet.errors import InvalidArguments
from ramet.settings import seconds


@command(
    ("""ramet call Inventory.stock '{"sku": "tea"}'""", "by the class's name, or by that on the wire"),
    ("ramet call inventory.reserve - < request.json", "arguments from standard input"),
    ("ramet call orders.place '{…}' --key order-17", "answered once, however often it is repeated"),
)
@click.argument("method", metavar="CONTRACT.METHOD")
@click.argument("arguments", default="{}", metavar="[JSON]")
@operated_option
@click.option("--key", help="An idempotency key.")
@click.option("--timeout", default="5s", show_default=True, metavar="DURATION", help="How long to wait.")
def call(choices: Choices, method: str, arguments: str, deployment: str | None, key: str | None, timeout: str) -> int:
    """Call a method and show its result as JSON.

    The arguments are one JSON object; "-" reads it from standard input. Where the deployment does not run, it is
    started for this one call. Exit code 1 when the call is refused or fails.
    """
    from ramet.runtime.operators.requests import Call, Called

    contract, dot, name = method.rpartition(".")
    if not dot or not contract or not name:
        raise InvalidArguments(f'A method is named as "Contract.method", not as "{method}".')
    request = Call(
        contract=contract,
        method=name,
        arguments=_fields(sys.stdin.read() if arguments == "-" else arguments),
        key=key,
        timeout_seconds=_seconds(timeout),
    )
    called = ask(choices, deployment, request, Called)
    if called.refused is None:
        output.document(called.result)
        return 0
    if choices.json:
        output.document({"refused": called.refused})
    else:
        output.note(f"{output.paint('refused:', 'yellow', sys.stderr)} {called.refused.kind}: {called.refused.message}")
    return FOUND


def _fields(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text.encode(errors="surrogateescape"), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidArguments(f"The arguments are no JSON object: {error}.") from error


def _seconds(text: str) -> float:
    try:
        found = seconds(text)
    except ValueError as error:
        raise InvalidArguments(f'"{text}" is no duration: write "500ms", "2s" or "1m".') from error
    if found <= 0:
        raise InvalidArguments("A call needs some time: --timeout must be more than 0.")
    return found
