"""Whatever a module of declarations holds, reading it ends with problems, and never with a traceback."""

from __future__ import annotations

import io
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.contract.application import Application
from ramet.contract.describe import describe
from ramet.contract.reading.application import examine
from ramet.errors import DeclarationError
from ramet.model.document import dump, load
from tests.unit.contract.reading_of import importable

TESTS = Path(__file__).parents[1] / "unit"
SOURCES = [
    "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#:"))
    for path in (TESTS / "model" / "shop.py", *sorted((TESTS / "contract" / "wrong").glob("*.py")))
]
WORDS = [
    *("Contract", "Event", "Saga", "Api", "Struct", "Refusal", "Settings", "Database", "Clock", "Mounted", "Secret"),
    *("int", "str", "None", "list", "dict", "tuple", "object", "type", "property", "staticmethod", "classmethod"),
    *("query", "command", "on", "every", "step", "wait", "get", "self", "cls", "async", "def", "class", "lambda"),
    *("...", "()", "[]", "{}", "0", "-1", "1.5", '""', "'text'", "b''", "True", "*", "**", "/", "|", ".", ",", ":"),
    *("publishes", "sagas", "tables", "version", "name", "refuses", "start", "State", "startup", "context", "_"),
]  # fmt: skip  # a table of words

NAMES = [word for word in WORDS if word.isidentifier() and word not in ("async", "def", "class", "lambda")]


def pieces(source: str) -> list[str]:
    """The words of a module, with what stands between them."""
    found: list[str] = []
    at = 0
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        begin, end = (
            starts[token.start[0] - 1] + token.start[1],
            starts[min(token.end[0] - 1, len(lines))] + token.end[1],
        )
        if token.type not in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            found += [source[at:begin], source[begin:end]]
            at = end
    return [*found, source[at:]]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A module of declarations with a few words replaced, and lines left out, doubled or exchanged."""
    words = pieces(draw(st.sampled_from(SOURCES)))
    names = [at for at in range(1, len(words), 2) if words[at].isidentifier()]
    for _ in range(draw(st.integers(1, 4))):
        at, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        kind = draw(st.sampled_from(("exchange", "another name", "another name", "any word")))
        if kind == "exchange":
            words[at], words[other] = words[other], words[at]
        else:
            words[at] = draw(st.sampled_from(NAMES if kind == "another name" else WORDS))
    lines = "".join(words).splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] *= draw(st.sampled_from((0, 2)))
    return "".join(lines)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(source=mutated())
def test_reading_a_mutated_module_never_fails(folder: Path, source: str) -> None:
    path = folder / "mutated_declarations.py"
    path.write_text(source, encoding="utf-8")
    with importable(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mutated program may be an odd one
        declared, problems = examine(Application("mutated", services=[path.stem]))
        for problem in problems:
            assert "docs" not in problem.remedy, problem
            assert problem.line >= 1
            assert problem.message.endswith(".")
            assert "\n" not in str(problem)
        if not problems:  # and what has none can be described
            application = describe(declared)
            assert load(dump(application)) == application


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.none() | st.integers() | st.text(max_size=9) | st.sampled_from([int, DeclarationError, object()]), max_size=3
    )
)
def test_any_list_of_services_is_read(parts: list[Any]) -> None:
    _, problems = examine(Application("any", services=parts))
    assert len(problems) >= len(set(map(repr, parts)) and {1})
    assert all(problem.file == problems[0].file for problem in problems)
