"""A group may call exactly what its services, sagas and APIs declare to need."""

from __future__ import annotations

from ramet.identity.grants import denial, grants
from ramet.model.application import Api, Application, Contract, Mounted, Saga, Service, Source

HERE = Source(file="shop.py", line=1)


def service(name: str, *needs: str, sagas: tuple[Saga, ...] = ()) -> Service:
    return Service(name=name, contract=name, implementation="x:Y", source=HERE, depends_on=needs, sagas=sagas)


def test_grants_are_the_declared_needs_of_everything_that_a_group_hosts() -> None:
    checkout = Saga(name="checkout", state={}, steps=(), depends_on=("payments",))
    application = Application(
        name="shop",
        contracts=tuple(Contract(name=name, version="1.0.0", source=HERE) for name in ("orders", "payments", "stock")),
        services=(service("orders", "stock", sagas=(checkout,)), service("payments"), service("stock")),
        apis=(Api(name="web", version="1.0.0", prefix="/", implementation="x:Z", source=HERE, depends_on=("orders",)),),
        mounted=(Mounted(name="legacy", app="x:app", prefix="/"),),
    )
    groups = {"edge": ("web",), "rest": ("orders", "stock"), "money": ("payments",), "old": ("legacy",), "none": ()}
    assert grants(application, groups) == {
        "edge": {"orders"},
        "rest": {"stock", "payments"},
        "money": frozenset(),
        "old": {"orders", "payments", "stock"},
        "none": frozenset(),
    }


def test_a_denial_says_who_asked_for_what_and_how_to_mend_it() -> None:
    assert denial("edge/0", "payments").startswith("edge/0 may not call payments: ")
