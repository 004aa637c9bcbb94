"""Reading code never fails, whatever the bytes and whatever lies in the folder."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.advisor.history.log import commits_of, entries
from ramet.advisor.history.traffic import spans_of
from ramet.advisor.read import ReadOptions, read_facts
from ramet.advisor.scan.parse import leaf_of
from ramet.advisor.scan.source import text_of

FRAGMENTS = st.sampled_from(
    [
        "import a",
        "from . import b",
        "from .. import *",
        "from a.b import (c as d,\n e)",
        "class A(B, models.Model):",
        "class A(A):",
        "    x = models.ForeignKey('self')",
        "    class Meta: db_table = 'x'",
        "def f(a, *b, c: 'Order' = 1, **d):",
        "    return g(a)",
        "with transaction.atomic():",
        "    Order.objects.filter(x=1).update()",
        "x = get_model('a', 'B')",
        "x.objects.get()",
        "@app.route('/x')",
        "cursor.execute('SELECT a FROM b WHERE %s')",
        "INSTALLED_APPS = ['a', 'b']",
        "'a.b.C'",
        "f'{a}{b!r:>{c}}'",
        "lambda x: x",
        "x: 'list[\"A\"]' = 1",
        "print 'x'",
        "type X[T] = T",
        "match x:\n case A(b=1): pass",
        "try:\n pass\nexcept* E: pass",
        "\x00",
        "\t\tx",
        "'\\ud800.x'",
        "send_task('\\ud800')",
        "requests.get('\\udcff')",
        "@router.get('')",
        "a = Table('x', m)",
        "if TYPE_CHECKING:",
        "x = (" * 40,
        "# coding: rot13",
        "# coding: utf-7",
        "async def g(self): await x.y()",
    ]
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.binary(max_size=400))
@FEW
def test_any_bytes_become_a_leaf_that_can_be_stored(data: bytes) -> None:
    assert msgspec.msgpack.encode(leaf_of(data)) is not None


@given(st.lists(FRAGMENTS, max_size=14), st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-32"]))
@FEW
def test_any_mixture_of_code_becomes_a_leaf_that_can_be_stored(lines: list[str], encoding: str) -> None:
    leaf = leaf_of("\n".join(lines).encode(encoding, "replace"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(leaf), type=type(leaf)) == leaf


@given(
    st.integers(1, 3000),
    st.sampled_from(["(", "[", "{", "-", "x.", "f(", "lambda:", "if x:\n", "not ", "x if y else "]),
)
@FEW
def test_any_depth_is_survived(depth: int, piece: str) -> None:
    assert leaf_of((piece * depth + "x").encode()).lines >= 1


@given(st.binary(max_size=300))
@FEW
def test_any_bytes_have_a_text(data: bytes) -> None:
    assert isinstance(text_of(data), str)


NAMES = st.sampled_from(["a", "b", "src", "models", "tests", "__init__", "a.b", " ", "é", "migrations", "urls"])
FILES = st.dictionaries(
    st.tuples(NAMES, NAMES, st.sampled_from(["py", "pyw", "toml", "yml", "txt"])),
    st.lists(FRAGMENTS, max_size=8).map("\n".join),
    max_size=8,
)


@given(FILES, st.booleans())
@settings(FEW, max_examples=30)
def test_any_folder_gives_sorted_facts(files: dict[tuple[str, str, str], str], looped: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for (folder, stem, ending), text in files.items():
            (root / folder).mkdir(exist_ok=True)
            (root / folder / f"{stem}.{ending}").write_text(text, encoding="utf-8", errors="replace")
        if looped:
            (root / "loop").symlink_to(root)
        facts = read_facts(root, options=ReadOptions(cache=None, history=False))
    assert [one.path for one in facts.modules] == sorted(
        f"{folder}/{stem}.{ending}" for folder, stem, ending in files if ending in {"py", "pyw"}
    )
    assert list(facts.accesses) == sorted(facts.accesses, key=lambda one: (one.path, one.line, one.table, one.writes))
    known = {one.path for one in facts.modules}
    assert all({edge.source, edge.target} <= known and edge.source != edge.target for edge in facts.edges)


@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=5))
@FEW
def test_any_output_of_git_is_read(chunks: list[bytes], between: bytes) -> None:
    header = b"\x01id\x025\x02A\x02a@b\x02\x02\x02subject"
    commits, _ = commits_of(entries([header, between, b"\0", *chunks]))
    assert all(one.at >= -1e30 for one in commits)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "resourceSpans",
                        "resource",
                        "attributes",
                        "scopeSpans",
                        "spans",
                        "key",
                        "value",
                        "startTimeUnixNano",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
@FEW
def test_any_json_is_read_as_traces(document: object) -> None:
    assert isinstance(spans_of(msgspec.json.encode(document)), list)


def test_what_is_parsed_is_what_python_parses() -> None:
    source = Path(ast.__file__).read_bytes()
    assert not leaf_of(source).trouble
    assert leaf_of(source).classes == sum(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(source)))
