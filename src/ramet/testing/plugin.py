"""The pytest plugin: runs async tests where the project says so, and a test in both modes of a process.

`ramet_async_tests = true` in the pytest configuration lets `async def` tests run without another plugin; one that is
installed and feels responsible goes first. The fixture `strict` repeats a test: with calls as they are, and encoded.
"""

from __future__ import annotations

import asyncio
import inspect

import pytest

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


@pytest.fixture(params=[False, True], ids=["direct", "strict"])
def strict(request: pytest.FixtureRequest) -> bool:
    """Whether calls are encoded: `running(app, strict=strict)`; a test that asks for it runs in both modes."""
    return bool(request.param)
