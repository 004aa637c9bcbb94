"""What an operator may call."""

from __future__ import annotations

from ramet import Application, Contract, External, query
from ramet.contract.reading.application import read
from ramet.runtime.operators.calls import find
from tests.unit.runtime.operators.house import DoorsService


class Weather(Contract, version="1.0.0"):
    @query
    async def tomorrow(self) -> str: ...


def test_a_contract_that_is_answered_outside_can_be_called_too() -> None:
    services = [DoorsService, External(Weather, url="http://127.0.0.1:8090")]
    contract, method = find(read(Application("house", services=services)), "Weather", "tomorrow")
    assert (contract.name, method.name) == ("weather", "tomorrow")
