"""Which services to run together: the known optimum, the rules always kept, little traffic called little."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramet.advisor.placement import search as placement_search
from ramet.advisor.placement.judging import judge
from ramet.advisor.placement.loads import own_cores
from ramet.advisor.placement.propose import advise
from ramet.advisor.placement.search import Board, best
from ramet.advisor.placement.toml import fragment, named
from ramet.advisor.placement.values import HOP_MICROSECONDS, Edge, Groups, Part, Question, Rules

ALONE: Groups = (("a",), ("b",), ("c",))


def edge(caller: str, callee: str, rate: float, milliseconds: float | None = 1.0) -> Edge:
    method = f"{callee}.do"
    return Edge(
        caller=caller,
        callee=callee,
        method=method,
        calls=int(rate * 1000),
        per_second=rate,
        milliseconds=milliseconds,
    )


def ask(cores: dict[str, float], *edges: Edge, today: Groups = ALONE, parts: Any = None, **rules: Any) -> Question:
    made = tuple(Part(name=name, cores=one, may_replicate=False) for name, one in cores.items())
    return Question(parts=parts or made, edges=edges, rules=Rules(**rules), today=today, measured=today, seconds=1000.0)


def groups(question: Question) -> set[frozenset[str]]:
    found = best(question)
    assert found is not None
    return {frozenset(group) for group in found}


def test_what_fits_into_one_process_is_put_into_one() -> None:
    asked = ask({"a": 0.1, "b": 0.1, "c": 0.1}, edge("a", "b", 1000), edge("b", "c", 10))
    assert groups(asked) == {frozenset("abc")}


def test_a_full_process_parts_where_the_fewest_calls_cross() -> None:
    asked = ask({"a": 0.25, "b": 0.25, "c": 0.25}, edge("a", "b", 1000), edge("b", "c", 10))
    assert groups(asked) == {frozenset("ab"), frozenset("c")}


def test_what_must_be_apart_or_isolated_or_of_another_team_is_never_together() -> None:
    cores = {"a": 0.1, "b": 0.1, "c": 0.1}
    calls = (edge("a", "b", 1000), edge("b", "c", 10))
    assert groups(ask(cores, *calls, apart=(("a", "b"),))) == {frozenset("a"), frozenset("bc")}
    for special in ({"isolated": True}, {"team": "blue"}):
        parts = (Part(name="a", **special), Part(name="b", team="red"), Part(name="c", team="red"))
        assert groups(ask(cores, *calls, parts=parts)) == {frozenset("a"), frozenset("bc")}


def test_rules_that_contradict_each_other_have_no_placement() -> None:
    asked = ask(
        {"a": 0.1, "b": 0.1}, edge("a", "b", 5), today=(("a", "b"),), together=(("a", "b"),), apart=(("a", "b"),)
    )
    assert best(asked) is None
    assert "No placement" in advise(asked).reasons[0]


def test_load_that_can_be_replicated_is_not_cut() -> None:
    parts = tuple(Part(name=name, cores=0.5) for name in "abc")
    advice = advise(ask({}, edge("a", "b", 1000), edge("b", "c", 1000), parts=parts))
    assert advice.proposal is not None
    assert [(one.services, one.replicas) for one in advice.proposal.processes] == [(("a", "b", "c"), 3)]


def test_a_request_is_predicted_with_the_hops_it_loses() -> None:
    asked = ask({"a": 0.1, "b": 0.1, "c": 0.1}, edge("", "a", 100, 5.0), edge("a", "b", 200), edge("b", "c", 100))
    (request,) = judge(asked, (("a", "b", "c"),)).operations
    assert request.predicted == pytest.approx(5.0 - (2 + 1) * HOP_MICROSECONDS / 1000)
    assert judge(asked, asked.today).operations[0].predicted == pytest.approx(5.0)


def test_little_traffic_proposes_nothing_and_says_so() -> None:
    advice = advise(ask({"a": 0.1, "b": 0.1, "c": 0.1}, edge("a", "b", 0.5)))
    assert advice.proposal is None
    assert advice.reasons[0].startswith("Only 500 calls were counted")


def test_one_process_with_room_stays_one() -> None:
    advice = advise(ask({"a": 0.1, "b": 0.1, "c": 0.1}, edge("a", "b", 100), today=(("a", "b", "c"),)))
    assert advice.proposal is None
    assert "room for all" in advice.reasons[0]


def test_own_work_excludes_waiting_for_others_and_adds_up_to_what_was_measured() -> None:
    edges = [edge("", "a", 100, 3.0), edge("a", "b", 100, 1.0)]
    assert own_cores("ab", edges, (("a", "b"),), None) == pytest.approx({"a": 0.2, "b": 0.1})
    shared = own_cores("ab", edges, (("a", "b"),), 0.25)
    assert shared == pytest.approx({"a": 0.15, "b": 0.1})


def test_a_fragment_keeps_the_names_of_today() -> None:
    assert named((("a", "b"), ("c",)), {"a": "front", "b": "back", "c": "back"}) == ("front", "back")
    asked = ask({"a": 0.1, "b": 0.1, "c": 0.1}, edge("a", "b", 100))
    parts = {part.name: part for part in asked.parts}
    text = fragment("split", judge(asked, (("a", "b"), ("c",))), parts, {})
    assert text.splitlines()[:2] == ["[deployment.split.process.a]", 'services = ["a", "b"]']


NAMES = "abcdefg"


@st.composite
def questions(draw: st.DrawFn) -> Question:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    parts = tuple(
        Part(
            name=name,
            cores=draw(st.floats(0, 1)),
            may_replicate=draw(st.booleans()),
            isolated=draw(st.integers(0, 5)) == 0,
            team=draw(st.sampled_from(["", "", "red", "blue"])),
        )
        for name in names
    )
    pairs = list(combinations(names, 2))
    edges = tuple(edge(*pair, draw(st.floats(0, 5000))) for pair in pairs if draw(st.booleans()))
    apart = tuple(pair for pair in pairs if draw(st.integers(0, 6)) == 0)
    together = tuple(pair for pair in pairs if draw(st.integers(0, 9)) == 0)
    today = tuple(tuple(name) for name in names)
    return ask({}, *edges, today=today, parts=parts, apart=apart, together=together)


@given(questions())
@settings(max_examples=80, deadline=None)
def test_no_proposal_breaks_a_rule_or_is_worse_than_today(asked: Question) -> None:
    found = best(asked)
    if found is None:
        return
    assert sorted(name for group in found for name in group) == [part.name for part in asked.parts]
    assert judge(asked, found).broken == ()
    board = Board(asked)
    today, ways = board.ways(asked.today), board.ways(found)
    assert ways is not None
    if today is not None:
        assert board.score(ways) <= board.score(today)


def partitions(items: list[int]) -> list[list[list[int]]]:
    if not items:
        return [[]]
    first, *rest = items
    found = []
    for partition in partitions(rest):
        found.append([[first], *partition])
        found += [[*partition[:at], [first, *group], *partition[at + 1 :]] for at, group in enumerate(partition)]
    return found


@given(questions())
@settings(max_examples=30, deadline=None)
def test_few_parts_are_placed_as_well_as_any_partition(asked: Question) -> None:
    found = best(asked)
    board = Board(asked)
    allowed = [one for one in partitions(list(range(len(board.atoms)))) if all(board.allows(group) for group in one)]
    if found is None:
        return
    ways = board.ways(found)
    assert ways is not None
    assert board.score(ways)[:2] <= min(map(board.score, allowed))[:2]
    assert math.isclose(board.score(ways)[2], min(map(board.score, allowed))[2], abs_tol=1e-8)


def test_many_parts_are_placed_without_trying_every_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement_search, "MOST_EXACT", 0)
    names = [f"s{number:02}" for number in range(12)]
    edges = [edge(names[at], names[at + 1], 1000 if at % 2 == 0 else 1) for at in range(11)]
    cores = dict.fromkeys(names, 0.25)
    found = groups(ask(cores, *edges, today=tuple((name,) for name in names)))
    assert found == {frozenset(names[at : at + 2]) for at in range(0, 12, 2)}
