"""Parts after the runs of Leiden."""

from __future__ import annotations

from ramet.advisor.boundaries.settling import settled


def parts(names: list[str], links: dict[tuple[int, int], float], run: list[int]) -> list[set[int]]:
    of = settled(names, links, run)
    return sorted(({n for n, its in enumerate(of) if its == part} for part in set(of)), key=min)


def clique(first: int, size: int) -> dict[tuple[int, int], float]:
    members = range(first, first + size)
    return {(one, other): 1.0 for one in members for other in members if one < other}


def test_a_module_goes_where_clearly_most_of_its_links_are() -> None:
    links = clique(0, 5) | clique(5, 5) | {(4, 5): 0.1}
    assert parts([""] * 10, links, [0] * 4 + [1] * 6) == [set(range(5)), set(range(5, 10))]


def test_a_module_between_two_parts_stays_where_it_is() -> None:
    links = clique(0, 4) | clique(5, 4) | {(0, 4): 1.0, (4, 5): 1.1}
    assert parts([""] * 9, links, [0] * 5 + [1] * 4) == [set(range(5)), set(range(5, 9))]


def test_what_is_too_small_to_be_a_part_joins_its_nearest_and_loners_stay_alone() -> None:
    links = clique(0, 5) | clique(5, 3) | {(4, 5): 0.2}
    assert parts([""] * 9, links, [0] * 5 + [1] * 3 + [2]) == [set(range(8)), {8}]


def test_where_subjects_have_a_home_a_part_without_one_is_a_piece_of_another() -> None:
    names = [f"{number}/{'models.py' if number % 5 == 0 else 'views.py'}" for number in range(25)]
    links: dict[tuple[int, int], float] = {}
    for number in range(6):
        links |= clique(number * 5, 5)
    links[21, 25] = 3.0
    run = [number // 5 for number in range(30)]
    pieces = [f"{number}/forms.py" for number in range(25, 30)]
    assert parts([*names, *pieces], links, run)[-1] == set(range(20, 30))
    few = [name.replace("models", "other") for name in names]
    assert len(parts([*few, *pieces], links, run)) == 6
