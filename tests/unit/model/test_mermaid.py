"""The drawing is valid Mermaid, whatever the parts are called."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings

from ramet.contract.describe import describe
from ramet.contract.reading.application import read
from ramet.model.application import Api, Application, Contract, Service, Source, Subscription
from ramet.model.mermaid import RESERVED, draw
from tests.properties.models import NAMES
from tests.unit.model.shop import SHOP

HERE = Source(file="a.py", line=1)
TEXT = r'"[^"\n]*"'
NODE = re.compile(rf"  (\w+)(\{{\{{{TEXT}\}}\}}|\[/{TEXT}/\]|\[\({TEXT}\)\]|\[{TEXT}\]|\(\[{TEXT}\]\))")
EDGE = re.compile(rf"  (\w+) (?:-->|==>\|{TEXT}\||-\.->\|{TEXT}\|) (\w+)")


def check(drawing: str) -> None:
    """Every line is a node or an edge between nodes, and every node stands once."""
    first, *lines = drawing.splitlines()
    assert first == "flowchart LR"
    nodes = [match[1] for line in lines if (match := NODE.fullmatch(line))]
    assert len(set(nodes)) == len(nodes)
    assert not [node for node in nodes if node.lower() in RESERVED]
    for line in lines:
        edge = EDGE.fullmatch(line)
        assert edge or NODE.fullmatch(line), line
        assert not edge or (edge[1] in nodes and edge[2] in nodes), line


def test_a_whole_application_is_drawn() -> None:
    drawing = draw(describe(read(SHOP)))
    check(drawing)
    assert drawing == (
        "flowchart LR\n"
        '  shop{{"shop<br/>/api"}}\n'
        '  legacy[/"legacy<br/>/old"/]\n'
        '  order_book[("order-book")]\n'
        '  stock["stock"]\n'
        "  shop --> order_book\n"
        "  order_book --> stock\n"
        '  order_book ==>|"Checkout"| stock\n'
        '  stock -.->|"Reserved"| order_book\n'
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, NAMES, NAMES)
def test_any_name_can_be_drawn(first: str, second: str, third: str) -> None:
    services = tuple(
        Service(name=name, contract=name, implementation="a:B", source=HERE, depends_on=(first,))
        for name in dict.fromkeys((first, second))
    )
    contracts = tuple(Contract(name=name, version="1.0.0", source=HERE) for name in dict.fromkeys((first, second)))
    api = Api(name=third, version="1.0.0", prefix="", implementation="a:C", source=HERE, depends_on=(second,))
    check(
        draw(
            Application(
                name="any", contracts=contracts, services=services, apis=(api,) if third not in (first, second) else ()
            )
        )
    )


def test_what_means_something_to_mermaid_is_escaped() -> None:
    odd = Api(name="odd", version="1.0.0", prefix='/a"<b>&', implementation="a:B", source=HERE)
    assert '"odd<br/>/a&quot;&lt;b>&amp;"' in draw(Application(name="odd", apis=(odd,)))


def test_a_contract_that_nobody_implements_here_is_drawn_too() -> None:
    contracts = tuple(Contract(name=name, version="1.0.0", source=HERE) for name in ("a", "b"))
    service = Service(
        name="a",
        contract="a",
        implementation="a:A",
        source=HERE,
        subscribes=(Subscription(event="b.Gone", method="on"),),
    )
    drawing = draw(Application(name="x", contracts=contracts, services=(service,)))
    check(drawing)
    assert '  b(["b"])\n' in drawing
