"""What a deployment says of its calls is what they go by: of the method first, then of its contract, then of all."""

from __future__ import annotations

from ramet import Application, Contract, command, query
from ramet.contract.reading.application import read
from ramet.http.surroundings import Cors, HttpSettings
from ramet.model.policies import Budgets, Http, Policy
from ramet.model.topology import Deployment
from ramet.runtime.calls import DEFAULT_DEADLINE_SECONDS
from ramet.runtime.planning import place
from ramet.runtime.policies import Deadlines, bulkhead, bulkheads, deadlines, http_settings, said, upstream
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.policies import Policies


class Stock(Contract, version="1.0.0"):
    @query
    async def left(self) -> int: ...

    @command
    async def take(self) -> int: ...


class StockService(Stock):
    async def left(self) -> int:
        return 1

    async def take(self) -> int:
        return 1


class Orders(Contract, version="1.0.0"):
    @query
    async def open(self) -> int: ...


class OrdersService(Orders):
    async def open(self) -> int:
        return 1


DECLARED = read(Application("shop", services=[StockService, OrdersService]))
NOTHING = Deployment()
MUCH = Deployment(
    policy=Policy(attempts=2, deadline_seconds=3, concurrency=64),
    policies={
        "stock": Policy(breaker_failures=9, concurrency=8, deadline_seconds=9),
        "stock.left": Policy(attempts=7, hedging=True, deadline_seconds=1),
        "stock.take": Policy(queue=0),
    },
    budgets=Budgets(retry_share=0.5, retry_saved=10, hedging_share=0.01),
    http=Http(deadline_seconds=20, max_body_bytes=64, docs=False),
    cors_origins=("https://a",),
)


def test_nothing_said_is_the_defaults() -> None:
    assert upstream(NOTHING, DECLARED) == Policies()
    assert bulkhead(NOTHING.policy) == Bulkhead()
    assert list(bulkheads(NOTHING, DECLARED)) == []
    assert deadlines(NOTHING, DECLARED) == Deadlines(DEFAULT_DEADLINE_SECONDS, {})
    assert http_settings(NOTHING) == HttpSettings()
    assert said(NOTHING) == {}


def test_the_method_comes_before_its_contract_and_that_before_all() -> None:
    found = upstream(MUCH, DECLARED, zone="left")
    assert (found.zone, found.retries.attempts, found.retries.budget_share, found.retries.budget_limit) == (
        "left",
        2,
        0.5,
        10,
    )
    left, take, other = found.of("stock.left"), found.of("stock.take"), found.of("orders.open")
    assert (left.retries.attempts, take.retries.attempts, other.retries.attempts) == (7, 2, 2)
    assert (left.breaking.failures, take.breaking.failures, other.breaking.failures) == (9, 9, 5)
    assert (left.hedging.enabled, take.hedging.enabled, left.hedging.share) == (True, False, 0.01)
    assert found.hedges
    assert not upstream(NOTHING, DECLARED).hedges
    assert deadlines(MUCH, DECLARED) == Deadlines(3, {"stock.left": 1, "stock.take": 9})


def test_a_bulkhead_is_of_the_process_of_a_contract_or_of_a_method() -> None:
    assert bulkhead(MUCH.policy) == Bulkhead(concurrency=64)
    assert list(bulkheads(MUCH, DECLARED)) == [
        (Bulkhead(concurrency=8), ("stock.left",)),
        (Bulkhead(queue=0), ("stock.take",)),
    ]


def test_public_apis_have_settings_of_their_own() -> None:
    expected = HttpSettings(deadline_seconds=20, max_body=64, docs=False, cors=Cors(origins=("https://a",)))
    assert http_settings(MUCH) == expected


def test_what_is_said_is_shown_by_the_table_that_says_it() -> None:
    assert said(MUCH)["policy"] == {
        "deadline_seconds": 3,
        "attempts": 2,
        "concurrency": 64,
        "retry_share": 0.5,
        "retry_saved": 10,
        "hedging_share": 0.01,
    }
    assert said(MUCH)['policy."stock.take"'] == {"queue": 0}
    assert list(said(MUCH)) == ["policy", 'policy."stock"', 'policy."stock.left"', 'policy."stock.take"', "http"]


def test_policies_of_what_nobody_declares_are_mistakes() -> None:
    wrong = Deployment(policies={"stok": Policy(), "stock.lft": Policy(), "zzz": Policy(), "stock": Policy()})
    _, problems = place(wrong, DECLARED, lambda *keys: (".".join(keys), len(keys)))
    assert [str(problem).partition(" ")[2] for problem in problems] == [
        'There is no contract or method "stock.lft". Did you mean "stock.left"?',
        'There is no contract or method "stok". Did you mean "stock"?',
        'There is no contract or method "zzz". The contracts are orders, stock.',
    ]
