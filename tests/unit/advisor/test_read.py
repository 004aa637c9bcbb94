"""Reading a whole code base: gaps instead of errors, the cache, the same facts every time."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from ramet.advisor.facts import Facts
from ramet.advisor.history.cache import Cache
from ramet.advisor.read import ReadOptions, read_facts
from ramet.errors import ConfigurationError
from tests.unit.advisor.code_base import Repository, facts_of, write

SHOP = {
    "shop/__init__.py": "",
    "shop/a.py": "from shop import b\nb.go()\n",
    "shop/b.py": "def go(): ...\n",
    "README.md": "A shop\n",
}


def gaps(facts: Facts) -> dict[str, int]:
    return {gap.what: gap.count for gap in facts.gaps if gap.what != "SQL in strings"}


def test_files_that_cannot_be_read_whole_are_gaps_and_still_count(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    (tmp_path / "broken.py").write_text("from shop import b\ndef (:\nclass Left: ...\n")
    (tmp_path / "null.py").write_bytes(b"from shop import b\0\n")
    (tmp_path / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000)
    (tmp_path / "long.py").write_text("x = " + " + ".join(["1"] * 20_000))
    (tmp_path / "large.py").write_text("from shop import b\n" + "x = 1\n" * 200_000)
    facts = facts_of(tmp_path, {})
    assert len(facts.modules) == 8
    assert {edge.source for edge in facts.edges if edge.kind == "import"} >= {"broken.py", "null.py", "large.py"}
    found = gaps(facts)
    assert found["Files too large to be read whole"] == 1
    assert found["Files whose syntax could not be read"] + found.get("Files nested too deeply", 0) == 4


def test_other_pythons_and_encodings_are_read(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(
        "from b import x\nprint 'old'\ntry: pass\nexcept E, e:\n    raise A, 'b'\nx = 0777L\n"
    )
    (tmp_path / "new.py").write_text(
        "from b import x\ntype A[T] = list[T]\nclass C[T]:\n    def f[U](self, u: U): ...\n"
    )
    (tmp_path / "latin.py").write_bytes("# coding: latin-1\nfrom b import x\ny = 'é'\n".encode("latin-1"))
    (tmp_path / "wrong.py").write_bytes(b"# coding: nonsense\nfrom b import x\ny = '\xff'\n")
    (tmp_path / "bom.py").write_bytes(b"\xef\xbb\xbffrom b import x\n")
    (tmp_path / "wide.py").write_bytes("from b import x\n".encode("utf-16"))
    facts = facts_of(tmp_path, {"b.py": "x = 1\n"})
    assert len(facts.edges) == 6
    assert not gaps(facts)


def test_what_belongs_to_others_is_left_out_and_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        {**SHOP, "node_modules/x.py": "", "vendor/y.py": "", "build/z.py": "", "env/pyvenv.cfg": "", "env/w.py": ""},
    )
    write(tmp_path, {".tool/v.py": "", "shop/build/__init__.py": "", ".github/CODEOWNERS": "*.py @shop/core\n"})
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "outside").symlink_to("/")
    facts = facts_of(tmp_path, {})
    assert [one.path for one in facts.modules] == [
        "shop/__init__.py",
        "shop/a.py",
        "shop/b.py",
        "shop/build/__init__.py",
    ]
    assert gaps(facts) == {
        "Left out: foreign": 2,
        "Left out: vendored": 1,
        "Left out: built": 1,
        "Left out: hidden": 1,
        "Left out: link": 2,
    }
    assert facts.owners[0].owners == ("@shop/core",)


def test_names_of_files_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.py", "w") as opened:  # noqa: PTH123 - the name is no text
        opened.write("x = 1\n")
    facts = facts_of(tmp_path, {})
    assert [(one.path, one.lines) for one in facts.modules] == [("caf\\xe9.py", 1)]
    assert msgspec.json.encode(facts)


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a folder"):
        read_facts(tmp_path / "nowhere")


def test_facts_are_the_same_with_one_process_and_with_several_and_from_the_cache(tmp_path: Path) -> None:
    Repository(tmp_path / "code").commit("All", SHOP)
    write(tmp_path / "code", {f"many/m{number}.py": "x = 1\n" * 5_000 for number in range(80)})
    root, cache = tmp_path / "code", tmp_path / "cache"
    first = read_facts(root, options=ReadOptions(cache=cache, workers=1))
    assert read_facts(root, options=ReadOptions(cache=None, workers=2)) == first
    assert read_facts(root, options=ReadOptions(cache=cache)) == first


def test_the_cache_is_used_for_what_has_not_changed_and_only_for_that(tmp_path: Path) -> None:
    root = write(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache", history=False)
    told: list[tuple[str, int, int]] = []
    read_facts(root, options=options)
    write(root, {"shop/a.py": "from shop import b\nb.go()\nb.go()\n"})
    facts = read_facts(root, options=options, progress=lambda *step: told.append(step))
    assert told[:3] == [("files", 0, 0), ("files", 2, 3), ("files", 3, 3)]
    assert [one.count for one in facts.edges if one.kind == "call"] == [2]


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\xc1" * 400])
def test_a_damaged_cache_is_ignored_and_mended(tmp_path: Path, rubbish: bytes) -> None:
    root = write(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache", history=False)
    first = read_facts(root, options=options)
    file = next((tmp_path / "cache").iterdir())
    head = file.read_bytes()[:16]
    for damaged in (rubbish, head + rubbish):
        file.write_bytes(damaged)
        assert read_facts(root, options=options) == first
    assert Cache(tmp_path / "cache", root).history("") is None
    assert file.read_bytes()[:16] == head


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    root = write(tmp_path / "code", SHOP)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(read_facts(root, options=ReadOptions(cache=blocked / "cache", history=False)).modules) == 3
