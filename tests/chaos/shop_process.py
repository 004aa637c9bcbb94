"""The shop as users run it: `ramet up` in a folder of its own, to be killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"


class ShopProcess:
    """One deployment of the shop below `folder`; its databases outlive its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns(".ramet", "__pycache__", "tests"))
        settings = (self.folder / "ramet.toml").read_text(encoding="utf-8")
        (self.folder / "ramet.toml").write_text(
            settings.replace('time_to_cancel = "3s"', 'time_to_cancel = "200ms"').replace(
                'delay = "80ms"', 'delay = "10ms"'
            ),
            encoding="utf-8",
        )
        self.address = f"127.0.0.1:{_free_port()}"
        self._log = (folder / "shop.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """How `ramet` is called to run it."""
        return ("up", "--no-reload", "--listen", self.address)

    @property
    def data(self) -> Path:
        """The folder of the databases."""
        return self.folder / ".ramet" / "local"

    @property
    def ledger(self) -> Path:
        """What the card network remembers."""
        return self.folder / ".ramet" / "cards.sqlite"

    @property
    def inside(self) -> tuple[str, ...]:
        """What begins the command that runs it, where it runs in a network of its own."""
        return ()

    async def start(self, *, patience_seconds: float = 60.0) -> None:
        """Return when it is ready."""
        self._process = subprocess.Popen(
            [*self.inside, sys.executable, "-m", "ramet", *self.arguments],
            cwd=self.folder,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        )
        deadline = asyncio.get_running_loop().time() + patience_seconds
        async with httpx.AsyncClient() as client:
            while not await _is_ready(client, f"http://{self.address}/readyz"):
                if self._process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                    raise RuntimeError(f"The shop does not start:\n{Path(self._log.name).read_text()[-2000:]}")
                await pause(0.02)

    def kill(self) -> None:
        """SIGKILL, without a warning."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and wait until it has drained."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def keep(self) -> Path:
        """Copy what it has said, and its books, to where they stay; gives the folder."""
        kept = Path(tempfile.mkdtemp(prefix="ramet-chaos-wrong-"))
        shutil.copy(self._log.name, kept)
        shutil.copytree(self.data, kept / self.data.name)
        return kept

    def command(self, *arguments: str) -> str:
        """What a `ramet` command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "ramet", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"ramet {' '.join(arguments)[:80]} failed: {done.stderr[-1000:]}")
        return done.stdout

    def fill_the_shelves(self, skus: Sequence[str], quantity: int) -> None:
        """Add products and stock through the running process."""
        products = [
            {"sku": sku, "name": sku, "description": sku, "category": "test", "price_cents": 500, "grams": 100}
            for sku in skus
        ]
        self.command("call", "catalog.add", json.dumps({"products": products}))
        lines = [{"sku": sku, "quantity": quantity} for sku in skus]
        self.command("call", "inventory.receive", json.dumps({"lines": lines}))


async def pause(seconds: float) -> None:
    """Let that much time pass: the moments of kills are moments of the clock."""
    try:
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
    except TimeoutError:
        return


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
