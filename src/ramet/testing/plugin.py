"""The pytest plugin: runs async tests where the project says so, and a test in every placement inside one process.

`ramet_async_tests = true` in the pytest configuration lets `async def` tests run without another plugin; one that is
installed and feels responsible goes first. The fixture `placement` repeats a test: with the services together, with
calls encoded, and with the services apart.
"""

from __future__ import annotations

import asyncio
import inspect

import pytest

from ramet.testing.placements import Placement

OPTION = "ramet_async_tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.addini(OPTION, "run async tests that no other plugin runs", type="bool", default=False)


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Run an async test on a loop of its own; None leaves the test to others."""
    function = pyfuncitem.obj
    if not (inspect.iscoroutinefunction(function) and pyfuncitem.config.getini(OPTION)):
        return None
    names = inspect.signature(function).parameters
    asyncio.run(function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=["together", "strict", "apart"])
def placement(request: pytest.FixtureRequest) -> Placement:
    """Where the services are: `running(app, placement=placement)`; a test that asks for it runs in each of them."""
    found: Placement = request.param
    return found
