"""Each file in wrong/ is one mistake; the comment at its top says the line, the sentence and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.contract.reading_of import expected, found

WRONG = sorted((Path(__file__).parent / "wrong").glob("*.py"))


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_declaration_gives_its_line_its_sentence_and_its_remedy(path: Path) -> None:
    assert found(path) == expected(path)


def test_there_are_many_kinds() -> None:
    assert len(WRONG) >= 45
    assert all(expected(path) for path in WRONG)
