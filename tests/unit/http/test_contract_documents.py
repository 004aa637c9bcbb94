"""A contract as OpenAPI: everything that an implementation in another language needs."""

from __future__ import annotations

import msgspec

from ramet.contract.application import Application
from ramet.contract.external import External
from ramet.contract.reading.application import read
from ramet.contract.service import Contract, command, query
from ramet.contract.struct import Struct
from ramet.errors import Refusal
from ramet.http.contract_documents import contract_openapi


class Liked(Struct):
    sku: str


class Likes(Contract, version="1.2.0"):
    """Knows what is liked."""

    class Unknown(Refusal, status=404):
        """Nobody knows {sku}."""

        sku: str

    @query(refuses=Unknown)
    async def similar(self, sku: str, limit: int = 4) -> tuple[Liked, ...]:
        """What is like this."""

    @command
    async def like(self, sku: str) -> None: ...


def document() -> dict[str, object]:
    declared = read(Application("shop", services=[External(Likes, url="http://localhost:1")]))
    written = msgspec.json.encode(contract_openapi(declared.externals[0].contract))
    return msgspec.json.decode(written)


def at(*path: str) -> object:
    found: object = document()
    for name in path:
        assert isinstance(found, dict)
        found = found[name]
    return found


def test_each_method_is_a_post_at_contract_and_method() -> None:
    paths = at("paths")
    assert isinstance(paths, dict)
    assert list(paths) == ["/likes/similar", "/likes/like"]
    assert at("info") == {"title": "Likes", "version": "1.2.0", "description": "Knows what is liked."}


def test_arguments_are_an_object_by_name_with_their_defaults() -> None:
    reference = at("paths", "/likes/similar", "post", "requestBody", "content", "application/json", "schema")
    assert reference == {"$ref": "#/components/schemas/similar_arguments"}
    schema = at("components", "schemas", "similar_arguments")
    assert isinstance(schema, dict)
    assert schema["required"] == ["sku"]
    assert schema["properties"]["limit"] == {"type": "integer", "default": 4}


def test_refusals_are_problems_with_their_status_and_facts() -> None:
    content = at("paths", "/likes/similar", "post", "responses", "404", "content", "application/problem+json", "schema")
    assert content == {"$ref": "#/components/schemas/Unknown"}
    schema = at("components", "schemas", "Unknown")
    assert isinstance(schema, dict)
    assert schema["required"] == ["sku"]
    assert schema["properties"]["code"] == {"const": "unknown"}


def test_only_commands_take_a_key() -> None:
    def names(method: str) -> list[str]:
        parameters = at("paths", f"/likes/{method}", "post", "parameters")
        assert isinstance(parameters, list)
        return [parameter["name"] for parameter in parameters]

    assert names("similar") == ["Ramet-Timeout"]
    assert names("like") == ["Ramet-Timeout", "Idempotency-Key"]
