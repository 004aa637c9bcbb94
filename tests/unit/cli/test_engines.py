"""Commands find the engines that a deployment runs on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ramet.cli.application import as_it_runs
from ramet.runtime.configuration import load
from ramet.runtime.operators.control import Control
from ramet.runtime.operators.requests import Answer, Asked
from ramet.runtime.supervisor.requests import AskedOfSupervisor, EnginesUsed

TOML = """
[application]
name = "shop"
services = []

[deployment.split]
data = "data"
storage = "postgresql://elsewhere"
broker = "nats://elsewhere"

[deployment.split.process.all]
services = "*"
"""
HERE = EnginesUsed(storage="postgresql://here", broker="nats://here")


async def answer(_: Any) -> Answer:
    return HERE


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param(AskedOfSupervisor, ("postgresql://here", "nats://here"), id="one that runs"),
        pytest.param(Asked, ("postgresql://elsewhere", "nats://elsewhere"), id="one of an earlier release"),
        pytest.param(None, ("postgresql://elsewhere", "nats://elsewhere"), id="one that does not run"),
    ],
)
async def test_a_deployment_is_on_the_engines_that_its_supervisor_tells(
    tmp_path: Path, asked: Any, found: tuple[str, str]
) -> None:
    (tmp_path / "ramet.toml").write_text(TOML)
    (tmp_path / "data").mkdir()
    control = Control(tmp_path / "data", answer, asked)
    if asked is not None:
        await control.start()
    deployment = await asyncio.to_thread(as_it_runs, load(tmp_path / "ramet.toml"), "split")
    await control.stop()
    assert (deployment.storage, deployment.broker) == found
