"""Start-up: importing Ramet, and the shop with its eight services until it is ready."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, at_most
from benchmarks.rounds import ROOT, Figures, Run, scratch

IMPORTS = {"python": "pass", "ramet": "import ramet", "dbos": "import dbos", "fastapi": "import fastapi"}
TIMES = 9
PATIENCE_SECONDS = 30
PORT = 18_000


def run(run: Run) -> Sequence[Row]:
    """With compiled bytecode, as an installed package has it."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch()) as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        shop = Path(folder) / "shop"
        shutil.copytree(ROOT / "examples" / "shop", shop, ignore=shutil.ignore_patterns(".ramet", "__pycache__"))
        _imports(environment, 1)
        _up(shop, environment)
        seen = run.interleave(
            {"import": lambda: _imports(environment, TIMES), "ramet up": lambda: _up(shop, environment)}
        )
    imported = ("import", "ramet")
    return [
        seen.row("import_ms", "ms", own=imported, peer=("import", "fastapi"), called="FastAPI", target=at_most(150)),
        seen.row("import_ms", "ms", own=imported, peer=("import", "dbos"), called="DBOS"),
        seen.row("shop_ready_seconds", "s", own=("ramet up", "seconds"), target=at_most(1)),
        seen.row("shop_memory_mb", "MB", own=("ramet up", "memory"), target=at_most(90)),
    ]


def _imports(environment: Mapping[str, str], times: int) -> Figures:
    """Milliseconds of each import, over those of Python alone."""
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(times):
        for name, source in IMPORTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", source], env=environment, check=True, cwd=ROOT)
            taken[name].append((time.perf_counter() - started) * 1000)
    bare = median(taken.pop("python"))
    return {name: median(values) - bare for name, values in taken.items()}


def _up(shop: Path, environment: Mapping[str, str]) -> Figures:
    """Seconds until /readyz says yes, and what is resident then."""
    shutil.rmtree(shop / ".ramet", ignore_errors=True)
    started = time.perf_counter()
    with _process(shop, environment) as process:
        while not _is_ready():
            if process.poll() is not None or time.perf_counter() - started > PATIENCE_SECONDS:
                raise RuntimeError(f"`ramet up` is not ready: {_output(process)}")
            time.sleep(0.005)
        return {"seconds": time.perf_counter() - started, "memory": _resident(process.pid)}


@contextmanager
def _process(shop: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ramet", "up", "--listen", f"127.0.0.1:{PORT}"]
    process = subprocess.Popen(
        command, cwd=shop, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _is_ready() -> bool:
    connection = HTTPConnection("127.0.0.1", PORT, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _output(process: subprocess.Popen[str]) -> str:
    process.terminate()
    return process.communicate(timeout=PATIENCE_SECONDS)[0][-2000:]


def _resident(pid: int) -> float:
    """Megabytes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024  # type: ignore[index]  # every process has one
    except OSError:
        done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
        return int(done.stdout) / 1024
