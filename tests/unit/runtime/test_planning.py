"""What runs where, and everything that cannot be so."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ramet import Api, Application, Contract, Database, Event, External, command, get, on, query
from ramet.contract.reading.application import read
from ramet.model.policies import Policy
from ramet.model.topology import Deployment, Group
from ramet.runtime.planning import Placed, Placement, changes, masked, place


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0", publishes=(Sold,)):
    @query
    async def left(self, sku: str) -> int: ...


class StockService(Stock):
    db: Database

    async def left(self, sku: str) -> int:
        return 1


class Orders(Contract, version="1.0.0"):
    @query
    async def open(self) -> int: ...


class OrdersService(Orders):
    db: Database
    stock: Stock

    async def open(self) -> int:
        return await self.stock.left("tea")

    @on(Sold)
    async def sold(self, event: Sold) -> None: ...


class Shop(Api, prefix="/api", version="1.0.0"):
    orders: Orders

    @get("/open")
    async def open(self) -> int:
        return await self.orders.open()


class Office(Api, prefix="/office", version="1.0.0"):
    @get("/")
    async def hours(self) -> str:
        return "9 to 5"


DECLARED = read(Application("shop", services=[StockService, OrdersService, Shop, Office]))
POSTGRES = Deployment(name="split", storage="postgresql://u:secret@h", broker="nats://h:4222", listen="127.0.0.1:8080")


def placed(*groups: Group, deployment: Deployment = POSTGRES, **rest: object) -> tuple[Placement, list[str]]:
    placement, problems = place(
        replace(deployment, groups=groups, **rest), DECLARED, lambda *keys: (".".join(keys), len(keys))
    )
    return placement, [str(problem) for problem in problems]


def group(name: str, *services: str, **rest: object) -> Group:
    return Group(name=name, services=services, **rest)  # type: ignore[arg-type]  # keywords of a struct


def test_the_star_takes_what_nobody_has() -> None:
    placement, problems = placed(group("edge", "shop", "office", replicas=2), group("rest", "*"))
    assert problems == []
    assert placement.hosts == {"edge": ("shop", "office"), "rest": ("stock", "orders")}
    edge, rest = placement.groups
    assert (edge.replicas, edge.listen, edge.public, edge.prefixes) == (
        2,
        "127.0.0.1:8080",
        ("shop", "office"),
        ("/api", "/office"),
    )
    assert (edge.calls, rest.called_by, rest.listen, rest.calls) == (("orders",), ("edge",), None, ())
    assert placement.storage == "postgresql://u:****@h"


def test_one_process_has_everything_and_no_mistakes() -> None:
    placement, problems = placed(deployment=Deployment())
    assert problems == []
    assert placement.hosts == {"all": ("stock", "orders", "shop", "office")}


@pytest.mark.parametrize(
    ("groups", "rest", "told"),
    [
        ([group("a", "stok"), group("b", "*")], {}, '"stok". Did you mean "stock"?'),
        ([group("a", "stock"), group("b", "stock", "*")], {}, "stock is in a and b. It runs in one group only."),
        ([group("a", "*"), group("b", "*")], {}, 'a and b take "*".'),
        ([group("a", "stock", "orders", "shop")], {}, "office is in no group."),
        ([group("a", "stock", "orders", "shop", "office"), group("b", "*")], {}, 'The group "b" is empty'),
        ([group("a", "shop"), group("b", "office"), group("c", "*")], {}, "a and b have public parts, and one address"),
        ([group("a", "stock", listen=":9"), group("b", "*")], {}, '"a" has a public address, and no API'),
        ([group("a", "shop"), group("b", "*", listen=":8080")], {}, "a and b both listen on port 8080."),
        (
            [group("a", "stock", internal="tcp://:8080"), group("b", "*")],
            {},
            "a and b both listen on port 8080.",
        ),
        ([group("a", "stock", "orders", replicas=2), group("b", "*")], {"storage": "sqlite"}, "2 replicas of a cannot"),
        ([group("a", "stock"), group("b", "*")], {"broker": "memory"}, "stock.Sold goes from a to orders in b"),
        ([group("a", "*", replicas=2)], {"broker": "memory"}, "orders handles stock.Sold in 2 replicas"),
        ([group("a", "stock"), group("b", "*")], {"together": (("stock", "orders"),)}, "must be together: stock in a"),
        ([group("a", "*")], {"apart": (("stock", "orders"),)}, "stock and orders must be apart, and are in a."),
        ([group("a", "*")], {"apart": (("stock", "moon"),)}, 'mounted application "moon"'),
        (
            [group("a", "*")],
            {"apart": (("stock", "orders"),), "together": (("orders", "shop", "stock"),)},
            "orders and stock must be together, and must be apart. Leave one of the two out.",
        ),
        ([group("a", "*")], {"contracts": "/api"}, "/api is where shop answers. Choose another path."),
    ],
)
def test_what_cannot_be_is_told_with_the_place(groups: list[Group], rest: dict[str, object], told: str) -> None:
    _, problems = placed(*groups, **rest)
    assert any(told in problem for problem in problems), problems
    assert all(problem.startswith("deployment.split") for problem in problems)


def test_the_same_port_of_two_hosts_is_no_clash() -> None:
    _, problems = placed(group("a", "shop"), group("b", "*", listen="127.0.0.2:8080", internal="tcp://10.0.0.1:8080"))
    assert problems == []


def test_isolated_means_alone() -> None:
    _, problems = placed(group("a", "stock", "orders", isolated=True), group("b", "*"))
    assert any('"a" is isolated, and hosts stock, orders.' in problem for problem in problems)


def test_all_mistakes_are_told_at_once() -> None:
    _, problems = placed(group("a", "stok", replicas=2), group("b", "moon"), storage="sqlite", broker="memory")
    assert len(problems) >= 3


def test_a_password_is_never_shown() -> None:
    assert masked("amqp://guest:pa55@h:5672/x") == "amqp://guest:****@h:5672/x"
    assert masked("nats://h:4222") == "nats://h:4222"


class Replica:
    version = "v1"


class Seen:
    def __init__(self, group: Placed) -> None:
        self.services, self.wanted, self.listen = group.services, group.replicas, group.listen
        self.replicas = [Replica()]


def test_changes_are_what_would_start_stop_move_scale_and_renew() -> None:
    before, _ = placed(group("edge", "shop", "office"), group("old", "stock"), group("rest", "*"))
    after, _ = placed(group("edge", "shop", "office", replicas=3), group("new", "stock", "orders"))

    running = {one.name: Seen(one) for one in before.groups}
    assert changes(before, running, "v1") == []
    assert [(one.what, one.group) for one in changes(after, running, "v2")] == [
        ("scale", "edge"),
        ("renew", "edge"),
        ("start", "new"),
        ("stop", "old"),
        ("stop", "rest"),
    ]


def test_another_address_is_a_change() -> None:
    before, _ = placed(group("edge", "shop", "office"), group("rest", "*"))
    after, _ = placed(group("edge", "shop", "office", listen=":9000"), group("rest", "*"))
    (change,) = changes(after, {one.name: Seen(one) for one in before.groups}, "v1")
    assert (change.what, change.why) == ("listen", f"on :9000 instead of {before.groups[0].listen}")


class Labels(Contract, version="1.0.0"):
    @command
    async def print(self, sku: str) -> None: ...

    @query
    async def left(self) -> int: ...


class Desk(Api, prefix="/desk", version="1.0.0"):
    labels: Labels
    stock: Stock

    @get("/")
    async def look(self) -> int:
        return await self.labels.left()


WITH_OUTSIDE = read(Application("shop", services=[StockService, Desk, External(Labels, url="http://127.0.0.1:9")]))


def test_who_is_called_outside_of_the_application_is_told_apart() -> None:
    groups = (group("edge", "desk"), group("rest", "*"))
    placement, problems = place(replace(POSTGRES, groups=groups), WITH_OUTSIDE, lambda *keys: (".".join(keys), 1))
    assert problems == ()
    assert [(one.calls, one.outside) for one in placement.groups] == [(("stock",), ("labels",)), ((), ())]


def test_a_command_is_not_hedged() -> None:
    policies = {"labels.print": Policy(hedging=True), "labels.left": Policy(hedging=True), "labels": Policy(attempts=1)}
    deployment = Deployment(policies=policies)
    _, problems = place(deployment, WITH_OUTSIDE, lambda *keys: (".".join(keys), 1))
    (problem,) = problems
    assert (problem.file, problem.line) == ("deployment.local.policy.labels.print.hedging", 1)
    assert problem.message == "labels.print is a command: only queries are hedged, for they may be sent twice."
