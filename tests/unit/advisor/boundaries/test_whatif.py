"""The figures of a cut that somebody has in mind."""

from __future__ import annotations

import pytest

from ramet.advisor.boundaries.candidates import boundaries
from ramet.advisor.boundaries.values import Origin
from ramet.advisor.boundaries.whatif import cut
from ramet.errors import ConfigurationError
from tests.unit.advisor.small_shop import shop


def test_a_cut_has_the_figures_of_the_candidate_of_the_same_folder() -> None:
    mine = cut(shop(), ["shop/stock/"])
    theirs = next(one for one in boundaries(shop()).candidates if one.name == "shop/stock")
    assert mine.origin is Origin.CUT
    assert (mine.score, mine.torn, mine.shared, mine.modules) == (
        theirs.score,
        theirs.torn,
        theirs.shared,
        theirs.modules,
    )


def test_several_folders_and_files_make_one_cut() -> None:
    both = cut(shop(), ["./shop/stock", "shop/orders/rules.py"])
    assert len(both.modules) == 6
    assert both.name == "shop/stock + shop/orders/rules.py"


def test_a_folder_without_code_is_named() -> None:
    with pytest.raises(ConfigurationError, match="shop/nowhere"):
        cut(shop(), ["shop/nowhere"])


def test_everything_is_no_cut() -> None:
    with pytest.raises(ConfigurationError, match="everything or nothing"):
        cut(shop(), ["shop"])
    with pytest.raises(ConfigurationError, match="everything or nothing"):
        cut(shop(), [])
