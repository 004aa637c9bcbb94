"""`ramet openapi`: the OpenAPI 3.1 document of each public API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from ramet.cli import output
from ramet.cli.application import configuration, declared
from ramet.cli.command import Choices, command
from ramet.errors import ConfigurationError


@command(
    ("ramet openapi storefront", "printed"),
    ("ramet openapi inventory", "a contract, as it is answered in other languages"),
    ("ramet openapi --output docs/", "every API as docs/<name>.openapi.json"),
)
@click.argument("api", required=False)
@click.option("--output", "-o", "to", type=click.Path(path_type=Path), metavar="FOLDER", help="Write files there.")
def openapi(choices: Choices, api: str | None, to: Path | None) -> None:
    """Print or write the OpenAPI 3.1 document of a public API, or of a contract.

    Without a name it is that of the only API, or with --output those of all APIs.
    """
    documents = _documents(choices)
    contracts = {} if api is None or api in documents else _contract_documents(choices)
    if api is not None and api not in documents and api not in contracts:
        there = ", ".join((*documents, *contracts)) or "none"
        raise ConfigurationError(f'There is no API and no contract "{api}"; there are {there}.')
    chosen = documents if api is None else {api: (documents | contracts)[api]}
    if to is not None:
        _write(choices, to, chosen)
    elif len(chosen) == 1:
        output.document(next(iter(chosen.values())))
    else:
        several = f"Say which API, or --output FOLDER for all: {', '.join(documents)}."
        raise ConfigurationError(several if documents else "There is no public API.")


def _documents(choices: Choices) -> dict[str, Any]:
    from ramet.contract.api import api_declaration
    from ramet.contract.reading.routes import resolve_routes
    from ramet.http.openapi import openapi as document

    apis = declared(configuration(choices)).apis
    return {api.name: document(api_declaration(api.cls), resolve_routes(api.cls)[0]) for api in apis}


def _contract_documents(choices: Choices) -> dict[str, Any]:
    """What an implementation of a contract in another language needs, or a caller."""
    from ramet.http.contract_documents import contract_openapi

    return {contract.name: contract_openapi(contract) for contract in declared(configuration(choices)).contracts}


def _write(choices: Choices, folder: Path, documents: dict[str, Any]) -> None:
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            path = folder / f"{name}.openapi.json"
            path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
            written.append(str(path))
    except OSError as error:
        raise ConfigurationError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    if choices.json:
        output.document({"written": written})
    else:
        output.say("\n".join(written))
