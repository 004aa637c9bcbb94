"""Every measure beside an example that was worked out by hand."""

from __future__ import annotations

from math import log

import pytest

from ramet.advisor.boundaries import metrics

PARTS = {"a": 0, "b": 0, "c": 1, "d": 1}
PAIRS = {("a", "b"), ("c", "d"), ("b", "c")}


def test_structural_modularity_is_density_inside_minus_density_between() -> None:
    # inside: (1/4 + 1/4) / 2; between: 2/(2·1) · 1/(2·2·2), over ordered pairs twice
    assert metrics.structural_modularity(PARTS, PAIRS) == pytest.approx(0.25 - 0.25)
    assert metrics.structural_modularity(PARTS, {("a", "b"), ("c", "d")}) == pytest.approx(0.25)


def test_structural_modularity_does_not_depend_on_how_a_pair_is_written() -> None:
    turned = {(other, one) for one, other in PAIRS}
    assert metrics.structural_modularity(PARTS, turned | PAIRS) == metrics.structural_modularity(PARTS, PAIRS)


def test_structural_modularity_of_one_part_has_nothing_between() -> None:
    assert metrics.structural_modularity(dict.fromkeys("ab", 0), {("a", "b")}) == 0.25
    assert metrics.structural_modularity({}, ()) == 0


def test_calls_between_parts_count_by_the_logarithm_of_their_volume() -> None:
    volume = {("a", "b"): 1.0, ("b", "c"): 10.0}
    assert metrics.inter_partition_calls(PARTS, volume) == pytest.approx((1 + log(10)) / (2 + log(10)))
    assert metrics.inter_partition_calls(PARTS, {}) == 0


def test_the_interface_number_is_pairs_across_for_each_part() -> None:
    assert metrics.interface_number(PARTS, PAIRS) == 0.5


def test_parts_of_five_to_twenty_are_not_extreme() -> None:
    parts = {**{f"a{n}": 0 for n in range(5)}, **{f"b{n}": 1 for n in range(4)}, "c": 2}
    assert metrics.non_extreme_distribution(parts) == pytest.approx(0.5)


def test_modularization_quality_adds_up_the_cluster_factors() -> None:
    assert metrics.modularization_quality(PARTS, PAIRS) == pytest.approx(2 / 3 + 2 / 3)


def test_cohesion_and_coupling_go_by_weight() -> None:
    weights = {("a", "b"): 3.0, ("b", "c"): 2.0, ("c", "d"): 1.0}
    assert metrics.cohesion(PARTS, weights) == pytest.approx((6 / 8 + 2 / 4) / 2)
    assert metrics.coupling(PARTS, weights) == pytest.approx(2 / 6)


def test_a_table_that_one_part_touches_is_pure() -> None:
    assert metrics.transactional_purity(PARTS, {"t": ["a", "b"]}) == 1
    assert metrics.transactional_purity(PARTS, {"t": ["a", "c"]}) == pytest.approx(0)
    assert metrics.transactional_purity(PARTS, {"t": ["a", "b"], "u": ["a", "d"]}) == pytest.approx(0.5)


def test_the_adjusted_rand_index_is_one_for_the_same_parts_under_other_names() -> None:
    assert metrics.adjusted_rand([0, 0, 1, 1], ["x", "x", "y", "y"]) == 1


def test_the_adjusted_rand_index_of_a_known_example() -> None:
    # contingency (2,1 / 1,2): Σ=2, rows 6, columns 6, of 15 pairs: (2-2.4)/(6-2.4)
    assert metrics.adjusted_rand([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1]) == pytest.approx(-0.4 / 3.6)


def test_mojo_fm_counts_moves_and_joins_beside_the_worst() -> None:
    assert metrics.mojo_fm([0, 0, 1, 1], "xxyy") == 100
    # one move; the worst, xy and xy, is two moves away from a truth of two parts of two
    assert metrics.mojo_fm([0, 0, 0, 1], "xxyy") == 50


def test_mojo_fm_joins_what_was_split() -> None:
    # one join of two singletons, of two operations at worst
    assert metrics.mojo_fm([0, 0, 1, 2], "xxyy") == 50


def test_f1_of_sets_without_anything_in_common_is_zero() -> None:
    assert metrics.f1({"a"}, {"b"}) == 0
    assert metrics.f1({"a", "b"}, {"b", "c"}) == 0.5
