"""An application of two process groups, a query and a command away from each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]
gateway = { listen = "127.0.0.1:0" }

[deployment.split.process.front]
services = ["counter"]
replicas = 2

[deployment.split.process.back]
services = "*"
"""
CODE = """
from ramet import Api, Contract, Database, command, get, query


class Ovens(Contract, version="1.0.0"):
    @query
    async def loaves(self) -> int: ...

    @command
    async def bake(self) -> int: ...


class OvensService(Ovens):
    db: Database

    async def loaves(self) -> int:
        return 12

    async def bake(self) -> int:
        return 13


class Counter(Api, prefix="/api", version="1.0.0"):
    ovens: Ovens

    @get("/loaves")
    async def loaves(self) -> int:
        return await self.ovens.loaves()

    @get("/baked")
    async def baked(self) -> int:
        return await self.ovens.bake()
"""


def write_to(folder: Path, toml: str = TOML, code: str = CODE) -> None:
    (folder / "ramet.toml").write_text(toml, encoding="utf-8")
    (folder / "bakery.py").write_text(code, encoding="utf-8")


@contextmanager
def reachable(toml: str, code: str = CODE) -> Iterator[Path]:
    """A folder that the user who runs PostgreSQL reaches, also where that is not the one who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="ramet-bakery-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_to(folder, toml, code)
        yield folder
