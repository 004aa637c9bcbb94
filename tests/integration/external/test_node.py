"""A service in another language: Node.js implements a contract, and calls one of the shop's back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import pytest

from tests.integration.external.conftest import FOLDER
from tests.integration.external.outside import answering, external


@asynccontextmanager
async def node(shop: str) -> AsyncIterator[str]:
    """The recommendations, which ask the shop at this address; their own."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(FOLDER / "recommendations/server.mjs"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PORT": "0", "SHOP_URL": shop},
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        yield line.decode().split(" at ")[1].strip()
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.needs("node")
async def test_node_implements_a_contract_and_calls_one_back(recommendations: ModuleType) -> None:
    contract = recommendations.Recommendations
    async with answering() as shop, node(shop) as url, external(contract, url) as methods:
        found = await methods["similar"]("tea", 4)
        assert [one.sku for one in found] == ["cocoa", "coffee"]
        assert isinstance(found[0], recommendations.Recommended)
        with pytest.raises(contract.UnknownProduct) as refused:
            await methods["similar"]("gold", 4)
        assert refused.value.sku == "gold"
