"""How strongly modules belong together."""

from __future__ import annotations

from math import sqrt

import msgspec
import pytest

from ramet.advisor.boundaries.graph import Weights, added, build, damped, roles_of, strongest
from ramet.advisor.boundaries.graph_changes import changes, small_changes
from ramet.advisor.boundaries.graph_links import links
from ramet.advisor.boundaries.graph_words import alike, subjects
from ramet.advisor.facts import Kind
from tests.unit.advisor.small_shop import commit, link, module, shop

NUMBERS = {"a.py": 0, "b.py": 1, "c.py": 2, "d.py": 3}


def test_a_link_weighs_less_the_more_depend_on_its_target_and_the_more_its_source_needs() -> None:
    found = links([link("a.py", "d.py"), link("b.py", "d.py"), link("c.py", "d.py"), link("a.py", "b.py")], NUMBERS)
    assert found[0, 1] == pytest.approx(1 / sqrt(2 * 1))
    assert found[1, 3] == pytest.approx(1 / sqrt(1 * 3))
    assert found[0, 3] == pytest.approx(1 / sqrt(2 * 3))


def test_what_a_hub_needs_itself_weighs_as_much_as_ever() -> None:
    found = links([link("a.py", "d.py"), link("b.py", "d.py"), link("d.py", "c.py")], NUMBERS)
    assert found[2, 3] == 1
    assert found[0, 3] < 1


def test_both_directions_add_up_and_typing_counts_half() -> None:
    assert links([link("a.py", "b.py"), link("b.py", "a.py", Kind.STRING)], NUMBERS) == {(0, 1): 2}
    assert links([link("a.py", "b.py", Kind.TYPING)], NUMBERS) == {(0, 1): 0.5}


def test_calls_come_on_top_of_the_import() -> None:
    plain, called = [link("a.py", "b.py")], [link("a.py", "b.py"), link("a.py", "b.py", Kind.CALL, count=5)]
    assert links(called, NUMBERS)[0, 1] > links(plain, NUMBERS)[0, 1]


def test_links_to_what_is_no_module_or_to_itself_are_ignored() -> None:
    assert links([link("a.py", "a.py"), link("a.py", "gone.py")], NUMBERS) == {}


def test_modules_that_never_change_alone_are_changed_together_entirely() -> None:
    assert changes([commit(1, "a.py", "b.py"), commit(2, "a.py", "b.py")], NUMBERS) == {(0, 1): pytest.approx(1)}


def test_merges_and_commits_of_more_than_thirty_files_say_nothing() -> None:
    large = commit(1, "a.py", "b.py", *(f"x{number}.py" for number in range(29)))
    assert changes([large, commit(2, "a.py", "b.py", merge=True)], NUMBERS) == {}


def test_a_commit_of_many_files_counts_less_for_each_pair() -> None:
    commits = [commit(1, "a.py", "b.py"), commit(2, "a.py", "c.py", "d.py")]
    found = small_changes(commits, NUMBERS)
    assert (0, 1) in found
    assert (0, 2) not in found


def test_words_that_few_use_join_and_words_that_all_use_do_not() -> None:
    said = [{"shelf": 1.0, "get": 1.0}, {"shelf": 1.0, "get": 1.0}, *({"get": 1.0} for _ in range(8))]
    assert set(alike(said, [""] * 10)) == {(0, 1)}


def test_words_do_not_join_modules_of_one_role() -> None:
    said = [{"shelf": 1.0}, {"shelf": 1.0}, *({} for _ in range(8))]
    assert alike(said, ["views", "views", *[""] * 8]) == {}


def test_the_subjects_of_commits_are_words_of_the_modules_they_changed() -> None:
    said = subjects([commit(1, "a.py", subject="Fix the shelves"), commit(2, "b.py", subject="Banner")], NUMBERS)
    assert set(said[0]) == {"fix", "the", "shelves"}
    assert set(said[1]) == {"banner"}


def test_a_file_name_that_many_folders_have_is_a_role() -> None:
    modules = [module(f"{folder}/money.py") for folder in "abcd"] + [module("a/models.py", "models"), module("a/x.py")]
    assert roles_of(modules) == ["money.py"] * 4 + ["models", ""]


def test_changes_between_modules_of_one_role_are_damped() -> None:
    assert damped({(0, 1): 1.0, (0, 2): 1.0}, ["views", "views", ""], 0.2) == {(0, 1): 0.2, (0, 2): 1.0}


def test_each_layer_counts_by_its_share_whatever_its_scale() -> None:
    found = added({"one": {(0, 1): 100.0}, "other": {(1, 2): 0.1}}, {"one": 2.0, "other": 1.0}, 3)
    assert found == {(0, 1): pytest.approx(6), (1, 2): pytest.approx(3)}


def test_only_the_strongest_links_of_either_end_are_kept() -> None:
    star = {(0, number): float(number) for number in range(1, 5)}
    assert set(strongest(star, 1)) == set(star)  # each leaf has no other link
    assert set(strongest({**star, (1, 2): 9.0}, 1)) == {(0, 3), (0, 4), (1, 2)}


def test_migrations_and_empty_modules_are_left_out() -> None:
    facts = shop()
    more = (module("shop/orders/migrations/1.py", "migrations", {"order": 1}), module("shop/__init__.py"))
    grown = msgspec.structs.replace(facts, modules=(*facts.modules, *more))
    assert build(grown) == build(facts)


def test_a_kind_of_evidence_can_be_left_out() -> None:
    graph = build(shop(), Weights(words=0, subjects=0, changes=0, small_changes=0))
    assert not graph.layers["words"]
    assert set(graph.weights) == set(graph.layers["links"])
