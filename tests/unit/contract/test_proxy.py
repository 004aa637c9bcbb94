"""A client looks like its contract, and goes through its links."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from ramet import Contract, Refusal, command, query
from ramet.contract.problems import Problems
from ramet.contract.proxy import MethodLink, by_position, make_client
from ramet.contract.reading.contracts import read_contract
from ramet.errors import DeadlineExceeded, InternalError
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import MethodCounters


class OutOfStock(Refusal):
    sku: str


class Stock(Contract, version="1.2.3"):
    @query
    async def level(self, sku: str, at: str = "here", *, target: int = 5, key: str) -> int:
        """How many there are."""
        raise NotImplementedError

    @query
    async def size(self) -> int: ...

    @command(refuses=OutOfStock)
    async def target(self, key: str, context: tuple[str, ...] = ("a",), error: bool = False) -> None: ...

    @command
    async def clear(self) -> None: ...


class Linked:
    """Links that note what comes through them."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.raises: Exception | None = None
        self.counters = {name: MethodCounters() for name in ("level", "size", "target", "clear")}
        declared = read_contract(Stock, problems := Problems())
        assert not list(problems)
        self.client = make_client(declared, Stock, {name: self.link(name) for name in self.counters})

    def link(self, name: str) -> MethodLink:
        async def target(*args: Any) -> Any:
            self.seen.append(args)
            if self.raises is not None:
                raise self.raises
            return 7

        def unexpected(error: Exception) -> Exception:
            return InternalError("f00", f"stock.{name}")

        return MethodLink(
            target=target,
            counter=self.counters[name],
            monotonic=lambda: 100.0,
            begin=lambda: "the key",
            passes=lambda error: isinstance(error, Refusal),
            unexpected=unexpected,
        )


@pytest.fixture
def linked() -> Linked:
    return Linked()


async def test_arguments_arrive_in_the_order_of_the_contract_with_defaults(linked: Linked) -> None:
    assert await linked.client.level("tea", key="k") == 7
    assert await linked.client.level(key="k", sku="tea", target=1, at="there") == 7
    assert linked.seen == [("tea", "here", 5, "k"), ("tea", "there", 1, "k")]


async def test_a_command_brings_its_key_and_its_arguments_together(linked: Linked) -> None:
    await linked.client.target("mine", error=True)
    await linked.client.clear()
    assert linked.seen == [("the key", ("mine", ("a",), True)), ("the key", ())]


def test_the_signature_is_the_contracts(linked: Linked) -> None:
    bound: Callable[..., Any] = linked.client.level
    assert inspect.signature(bound).replace() == inspect.signature(Stock().level, eval_str=True)
    assert bound.__doc__ == "How many there are."
    assert bound.__qualname__ == "Stock.level"
    assert inspect.iscoroutinefunction(bound)


@pytest.mark.parametrize(
    ("args", "kwargs", "sentence"),
    [
        ((), {"key": "k"}, r"Stock\.level\(\) missing 1 required positional argument: 'sku'"),
        (("tea",), {}, r"Stock\.level\(\) missing 1 required keyword-only argument: 'key'"),
        (("tea", "here", 5), {"key": "k"}, r"Stock\.level\(\) takes from 1 to 2 positional arguments"),
        (("tea",), {"key": "k", "colour": 1}, r"Stock\.level\(\) got an unexpected keyword argument 'colour'"),
    ],
)
def test_a_wrong_call_names_the_method(linked: Linked, args: Any, kwargs: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        linked.client.level(*args, **kwargs)
    assert linked.seen == []


def test_a_client_is_one_of_its_contract_and_says_so(linked: Linked) -> None:
    assert isinstance(linked.client, Stock)
    assert repr(linked.client) == "<client of stock 1.2.3>"


async def test_calls_are_counted(linked: Linked) -> None:
    await linked.client.size()
    await linked.client.size()
    await linked.client.clear()
    assert (linked.counters["size"].calls, linked.counters["clear"].calls) == (2, 1)


async def test_what_the_contract_names_passes_and_an_error_of_a_command_has_its_key(linked: Linked) -> None:
    linked.raises = OutOfStock(sku="tea")
    with pytest.raises(OutOfStock) as caught:
        await linked.client.target("mine")
    assert caught.value.__ramet_key__ == "the key"  # type: ignore[attr-defined]  # for sagas only


async def test_what_it_does_not_name_becomes_an_error_with_an_id(linked: Linked) -> None:
    linked.raises = cause = ZeroDivisionError("secret")
    for call in (linked.client.size, linked.client.clear):
        with pytest.raises(InternalError, match=r"^stock\.\w+ failed unexpectedly") as caught:
            await call()
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is cause


async def test_no_command_is_called_after_the_deadline(linked: Linked) -> None:
    token = current_context.set(Context(execution="e", trace="t", deadline=99.0))
    try:
        with pytest.raises(DeadlineExceeded, match=r"stock\.clear was not called: the deadline had passed"):
            await linked.client.clear()
    finally:
        current_context.reset(token)
    assert linked.seen == []


def test_a_function_with_named_parameters_can_be_called_by_position() -> None:
    def function(a: int, *, b: int, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    def plain(a: int) -> int:
        return a

    assert by_position(function)(1, 2, 4) == (1, 2, 4)
    assert by_position(plain) is plain
