"""Candidates for services and what is said of them."""

from __future__ import annotations

import msgspec

from ramet.advisor.boundaries.candidates import BoundaryOptions, boundaries, named_apart
from ramet.advisor.boundaries.evidence import effort
from ramet.advisor.boundaries.proposals import proposals
from ramet.advisor.boundaries.torn import Tables
from ramet.advisor.boundaries.values import Candidate, Origin
from ramet.advisor.facts import Call, Facts, Place, Table
from ramet.advisor.finding import Strength
from tests.unit.advisor.small_shop import WORDS, module, shop


def found(name: str, facts: Facts | None = None) -> Candidate:
    """The candidate of a folder."""
    return next(one for one in boundaries(facts or shop()).candidates if one.name == f"shop/{name}")


def test_each_application_is_a_candidate_once() -> None:
    assert sorted(one.name for one in boundaries(shop()).candidates) == ["shop/orders", "shop/pages", "shop/stock"]


def test_what_keeps_to_itself_ranks_first_where_no_table_tells_more() -> None:
    facts = msgspec.structs.replace(shop(), tables=(), accesses=())
    assert boundaries(facts).candidates[0].name == "shop/pages"


def test_what_owns_its_data_ranks_before_what_owns_none() -> None:
    facts = shop()
    owning = Table(name="pages", model="Page", place=Place(path="shop/pages/models.py", line=1), framework="django")
    facts = msgspec.structs.replace(facts, tables=(*facts.tables, owning))
    assert boundaries(facts).candidates[0].name == "shop/pages"
    assert boundaries(shop()).candidates[0].name != "shop/pages"
    assert found("pages").score.data == 0
    assert found("pages", facts).score.data == 1


def test_data_that_others_touch_is_kept_less() -> None:
    stock = found("stock")
    assert stock.score.data == 0.5 + 0.5 * 1 / (1 + 2)  # one table written from outside, one transaction on both sides


def test_unknown_data_tells_nothing() -> None:
    facts = msgspec.structs.replace(shop(), tables=(), accesses=())
    assert {one.score.data for one in boundaries(facts).candidates} == {0.5}


def test_plumbing_is_not_about_the_business() -> None:
    facts = shop()
    renamed = tuple(
        msgspec.structs.replace(one, role="commands") if one.path == "shop/pages/tasks.py" else one
        for one in facts.modules
    )
    assert found("pages", facts).score.business == 1
    assert found("pages", msgspec.structs.replace(facts, modules=renamed)).score.business == 0.8


def test_levels_of_one_part_do_not_crowd_out_the_others() -> None:
    names = [one.name for one in boundaries(_deep()).candidates]
    assert {name.split("/")[1] for name in names[:3]} == {"orders", "pages", "stock"}
    assert {1, 2} <= {name.count("/") for name in names}


def _deep() -> Facts:
    """The shop with every module but the models one folder further down, so that each part has two levels."""
    facts = shop()

    def down(path: str) -> str:
        folder, _, file = path.rpartition("/")
        return path if file == "models.py" else f"{folder}/inner/{file}"

    return msgspec.structs.replace(
        facts,
        modules=tuple(msgspec.structs.replace(one, path=down(one.path)) for one in facts.modules)
        + tuple(
            module(f"shop/{name}/extra{number}.py", words={name: 1, "extra": 1}) for name in WORDS for number in "12"
        ),
        edges=tuple(
            msgspec.structs.replace(one, source=down(one.source), target=down(one.target)) for one in facts.edges
        ),
        commits=tuple(
            msgspec.structs.replace(one, files=tuple(down(path) for path in one.files)) for one in facts.commits
        ),
        accesses=tuple(msgspec.structs.replace(one, path=down(one.path)) for one in facts.accesses),
    )


def test_equal_facts_give_equal_boundaries() -> None:
    assert boundaries(shop()) == boundaries(shop())


def test_dependencies_across_the_cut_are_counted_and_located() -> None:
    stock = found("stock")
    assert (stock.fan_in, stock.links_in, stock.links_out, stock.contract) == (1, 1, 0, ("reserve",))
    assert stock.crossing == (Place(path="shop/orders/rules.py", line=3),)


def test_a_shared_table_is_named_with_who_reaches_across() -> None:
    (table,) = found("stock").shared
    assert (table.table, table.owned, table.written_across) == ("stock", True, True)
    assert {place.path for place in table.places} == {"shop/orders/rules.py"}
    assert not found("pages").shared
    assert table.places[0].line == 11, "what writes is told first"


def test_a_torn_transaction_has_the_saga_it_needs() -> None:
    (torn,) = found("stock").torn
    assert (torn.transaction, torn.place.line, torn.writes_both) == ("place", 10, True)
    assert [(step.inside, step.do, step.undo) for step in torn.saga] == [
        (True, "write stock", "take back what was written to stock"),
        (False, "write orders", "take back what was written to orders"),
    ]


def test_a_transaction_on_one_side_is_not_torn() -> None:
    tables = Tables(shop())
    everything = {"shop/orders/models.py", "shop/stock/models.py", "shop/orders/rules.py"}
    assert tables.torn(everything) == ()


def test_what_tests_and_migrations_touch_is_not_shared() -> None:
    facts = shop()
    idle = tuple(
        msgspec.structs.replace(one, role="migrations") if one.path == "shop/orders/rules.py" else one
        for one in facts.modules
    )
    tables = Tables(msgspec.structs.replace(facts, modules=idle))
    stock = {one.path for one in facts.modules if one.path.startswith("shop/stock")}
    assert tables.shared(stock) == ()
    assert tables.torn(stock) == ()


def test_changes_are_counted_with_those_that_touch_nothing_else() -> None:
    stock = found("stock")
    assert (stock.commits, stock.commits_alone, stock.authors) == (21, 20, 2)


def test_the_last_matching_line_of_codeowners_decides() -> None:
    assert found("stock").owners == ("@stock",)
    assert found("pages").owners == ("@all",)


def test_hot_spots_are_changed_often_and_complex() -> None:
    assert found("stock").hot_spots[0].path == "shop/stock/rules.py"


def test_words_of_its_own_are_named() -> None:
    assert set(found("stock").words) == {"shelf", "reserve", "warehouse", "counted"}


def test_a_short_history_makes_weak_evidence_and_says_so() -> None:
    facts = msgspec.structs.replace(shop(), commits=())
    assert {one.strength for one in boundaries(facts).candidates} == {Strength.WEAK}
    assert any("0 commits" in caveat for caveat in boundaries(facts).caveats)
    assert "0 commits" in found("stock", facts).reasons[-1]


def test_unknown_tables_are_a_caveat_and_no_praise() -> None:
    facts = msgspec.structs.replace(shop(), tables=(), accesses=())
    assert any("unknown, not absent" in caveat for caveat in boundaries(facts).caveats)


def test_scalability_goes_by_traffic_where_there_is_some() -> None:
    by = {one.name: one for one in found("stock").perspectives}
    assert by["scalability"].value == 1.0
    traffic = (
        Call(source="", target="shop/stock/views.py", operation="get", count=30, mean_ms=10),
        Call(source="", target="shop/orders/views.py", operation="get", count=10, mean_ms=10),
    )
    by = {one.name: one for one in found("stock", msgspec.structs.replace(shop(), traffic=traffic)).perspectives}
    assert by["scalability"].value == 0.75


def test_what_is_not_known_about_scalability_is_said_to_be_unknown() -> None:
    by = {one.name: one for one in found("pages").perspectives}
    assert by["scalability"].value is None


def test_effort_is_a_range_with_its_basis() -> None:
    found = effort(2000, 4, 1, 1)
    assert (found.least, found.most) == (6.0, 24.0)
    assert "1 torn" in found.basis


def test_only_as_many_as_asked_for_are_described_and_the_rest_is_counted() -> None:
    some = boundaries(shop(), options=BoundaryOptions(most=1))
    assert len(some.candidates) == 1
    assert dict(some.left_out)["candidates with weaker evidence, and other levels of the same part"] > 0


def test_folders_of_one_name_are_one_proposal() -> None:
    code = [f"{folder}/{name}.py" for folder in ("order", "web/order", "x") for name in "abcdef"]
    named = [one for one in proposals(code + [f"y/{n}.py" for n in range(20)], ()) if one.origin is Origin.NAMESAKES]
    assert [(one.name, one.folders, len(one.modules)) for one in named] == [("order", ("order", "web/order"), 12)]


def test_a_folder_that_only_says_what_kind_of_code_it_holds_names_no_part() -> None:
    code = [f"{folder}/views/{name}.py" for folder in "ab" for name in "cdef"] + [f"y/{n}.py" for n in range(20)]
    assert not [one for one in proposals(code, ()) if one.origin is Origin.NAMESAKES]


def test_an_empty_code_base_has_no_candidates() -> None:
    assert boundaries(Facts(root="x")).candidates == ()


def test_what_shows_an_application_is_no_part_of_it() -> None:
    code = [f"{folder}/{name}.py" for folder in ("examples/shop", "docs", "orders") for name in "abcdef"]
    assert {one.name for one in proposals(code, [code[:5]])} == {"orders"}


def test_candidates_of_one_name_are_told_apart_by_their_words() -> None:
    one = found("orders")
    other = msgspec.structs.replace(one, words=("stock", "shelf"))
    assert [each.name for each in named_apart([one, other, other])] == [
        "shop/orders",
        "shop/orders: stock",
        "shop/orders: shelf",
    ]
