"""The shop with its recommendations in Node.js: called through a contract, and calling one back; and without them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ramet.testing.engines.base import free_port
from tests.integration.cli.deployment import ramet, up
from tests.integration.external.conftest import FOLDER

PRODUCTS = [
    {"sku": sku, "name": sku.title(), "description": "", "category": "hot", "price_cents": cents, "grams": 100}
    for sku, cents in (("tea", 500), ("coffee", 900), ("cocoa", 600))
]


@contextmanager
def recommendations(shop: str, port: int) -> Iterator[None]:
    """The program in Node.js, once it listens."""
    environment = {**os.environ, "PORT": str(port), "SHOP_URL": f"{shop}/contracts"}
    program = ["node", str(FOLDER / "recommendations" / "server.mjs")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            assert str(port) in process.stdout.readline()
            yield
        finally:
            process.terminate()


@pytest.mark.needs("node")
def test_recommendations_come_from_another_language_which_asks_the_catalog(tmp_path: Path) -> None:
    folder, port = tmp_path / "shop", free_port()
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".ramet", "__pycache__"))
    with (folder / "ramet.toml").open("a") as file:
        file.write('\n[external.recommendations]\nurl = "env:RECOMMENDATIONS"\n')
    with up(folder, "--no-reload", environment={"RECOMMENDATIONS": f"http://127.0.0.1:{port}"}) as process:
        url = process.ready()["url"]
        added = ramet(folder, "call", "catalog.add", json.dumps({"products": PRODUCTS}))
        assert added.returncode == 0, added.stderr
        with recommendations(url, port):
            similar = httpx.get(f"{url}/api/products/tea/similar").json()
        alone = httpx.get(f"{url}/api/products/tea/similar").json()
    assert [one["sku"] for one in similar] == ["cocoa", "coffee"]
    assert alone == []
