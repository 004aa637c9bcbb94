"""A process and a replica close all that they have opened, whatever a service's own `shutdown()` does."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from ramet import Application, Contract, query
from ramet.contract.reading.application import read
from ramet.model.topology import Assignment
from ramet.runtime.configuration import Configuration, load
from ramet.runtime.process import Process, make_running
from ramet.runtime.replica import Replica
from ramet.runtime.sole import Sole
from ramet.transport.policy.moments import Decision, Moment


class Bills(Contract, version="1.0.0"):
    @query
    async def count(self) -> int: ...


class FailingBills(Bills):
    async def count(self) -> int:
        return 0

    async def shutdown(self) -> None:
        raise RuntimeError("it had been broken before")


DECLARED = read(Application("bills", services=FailingBills))


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    text = '[application]\nname = "bills"\nservices = ["bills"]\n[deployment.local]\nlisten = "127.0.0.1:0"\n'
    (tmp_path / "ramet.toml").write_text(text, encoding="utf-8")
    return load(tmp_path / "ramet.toml")


async def test_the_next_process_may_have_the_folder(configuration: Configuration) -> None:
    deployment = configuration.deployments["local"]
    process = Process(configuration, deployment, make_running(configuration, deployment, DECLARED))
    await process.start()
    with pytest.raises(RuntimeError, match="broken before"):
        await process.stop()
    with Sole(configuration.folder / deployment.data, deployment):
        pass


@pytest.fixture
def replica(configuration: Configuration) -> Replica:
    address = f"unix:{configuration.folder}/bills.sock"
    assignment = Assignment(deployment="local", group="bills", replica=0, hosts=("bills",), internal=address)
    return Replica(configuration, DECLARED, assignment)


async def test_a_replica_ends_its_tasks(replica: Replica) -> None:
    await replica.start()
    task = replica._tasks.spawn(asyncio.Event().wait())
    with pytest.raises(RuntimeError, match="broken before"):
        await replica.stop()
    assert task.cancelled()


async def test_calls_that_the_bulkhead_of_a_replica_refuses_are_told(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    refused = Moment(decision=Decision.REFUSED, method="bills.count")
    with caplog.at_level(logging.DEBUG, "ramet.calls"):
        replica._server._options.hook(refused)
    assert [vars(record)["moment"] for record in caplog.records] == [refused]
