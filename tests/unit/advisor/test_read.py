"""Reading a whole code base: gaps instead of errors, the cache, the same facts every time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ramet.advisor.cache import default_folder
from ramet.advisor.facts import Facts
from ramet.advisor.read import ReadOptions, read_facts
from ramet.advisor.scan.pool import read_one
from ramet.advisor.scan.tree import digest_of, walk
from ramet.errors import ConfigurationError
from tests.unit.advisor.code_base import Repository, facts_of, settle, write, write_settled

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


def test_histories_are_no_code_that_anybody_must_be_told_of(tmp_path: Path) -> None:
    assert gaps(facts_of(tmp_path, {**SHOP, ".git/hooks/a.py": "", ".hg/b.py": ""})) == {}


def test_a_folder_that_nobody_may_look_into_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "code", SHOP)
    monkeypatch.chdir(root)
    for _ in range(25):  # a path too long to be opened
        Path("x" * 200).mkdir()
        os.chdir("x" * 200)
    assert gaps(facts_of(root, {})) == {"Left out: permission": 1}


def test_a_cache_is_in_no_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("cache", "./cache", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert default_folder() == tmp_path / ".cache/ramet/advisor"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_folder() == Path("/cache/ramet/advisor")


def test_names_of_files_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.py", "w") as opened:  # noqa: PTH123 - the name is no text
        opened.write("x = 1\n")
    facts = facts_of(tmp_path, {})
    settle(tmp_path)
    for _ in range(2):
        assert read_facts(tmp_path, options=ReadOptions(cache=tmp_path / ".cache", history=False)) == facts
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
    root = write_settled(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache")
    first = read_facts(root, options=options)
    files = {file: file.read_bytes() for file in (tmp_path / "cache").iterdir()}
    assert {file.suffix for file in files} == {".leaves", ".facts"}
    for keep in (0, 16, 32):
        for file, data in files.items():
            file.write_bytes(data[:keep] + rubbish)
        assert read_facts(root, options=options) == first
        assert {file: file.read_bytes() for file in files} == files


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    root = write(tmp_path / "code", SHOP)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(read_facts(root, options=ReadOptions(cache=blocked / "cache", history=False)).modules) == 3


def told_while_reading(root: Path, options: ReadOptions) -> tuple[Facts, set[str]]:
    told: set[str] = set()
    facts = read_facts(root, options=options, progress=lambda stage, _done, _total: told.add(stage))
    return facts, told


def test_what_has_not_changed_at_all_is_not_understood_again(tmp_path: Path) -> None:
    root = write_settled(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache", history=False)
    first, told = told_while_reading(root, options)
    again, told_again = told_while_reading(root, options)
    assert again == first
    assert told - told_again == {"meaning"}


def change_content_but_neither_size_nor_time(root: Path) -> None:
    file = root / "shop/b.py"
    before = file.stat()
    file.write_text("def no(): ...\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_with_another_file_of_the_same_time(root: Path) -> None:
    before = (root / "shop/b.py").stat()
    (root / "other").write_text("def no(): ...\n")
    os.utime(root / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    (root / "other").replace(root / "shop/b.py")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": change_content_but_neither_size_nor_time,
    "replaced": replace_with_another_file_of_the_same_time,
    "new file": lambda root: (root / "shop/c.py").write_text(""),
    "gone": lambda root: (root / "shop/b.py").unlink(),
    "renamed": lambda root: (root / "shop/b.py").rename(root / "shop/d.py"),
    "another kind of file": lambda root: (root / "shop/pyproject.toml").write_text(""),
    "owners": lambda root: (root / "CODEOWNERS").write_text("* @shop/crew\n"),
    "link": lambda root: (root / "loop").symlink_to(root),
    "commit": lambda root: Repository(root).commit("More", {}),
    "tag": lambda root: Repository(root).git("tag", "v2"),
    "mailmap": lambda root: (root / ".mailmap").write_text("Ann Berg <ann.lee@home.example> <ann@example.org>\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_is_seen(tmp_path: Path, name: str) -> None:
    root = tmp_path / "code"
    Repository(root).commit("One", {**SHOP, "CODEOWNERS": "* @shop/core\n"})
    settle(root)
    options = ReadOptions(cache=tmp_path / "cache")
    read_facts(root, options=options)
    CHANGES[name](root)
    settle(root)
    assert read_facts(root, options=options) == read_facts(root, options=ReadOptions(cache=None))


def test_a_change_in_the_moment_of_reading_is_seen_at_the_next(tmp_path: Path) -> None:
    """A clock that ticks every 4 ms gives two changes one time."""
    root = write(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache", history=False)
    for number in range(20):
        write(root, {"shop/b.py": f"def go(): ...  # {number % 10}\nx{number % 10} = 1\n"})
        assert read_facts(root, options=options) == read_facts(root, options=ReadOptions(cache=None, history=False))


def test_options_have_answers_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "code"
    Repository(root).commit("One", SHOP)
    Repository(root).commit("Two", {"shop/a.py": "x = 2\n"})
    settle(root)
    traces = tmp_path / "traces.json"
    traces.write_text("[]")
    cache = tmp_path / "cache"
    for options in (
        ReadOptions(cache=cache),
        ReadOptions(cache=cache, history=False),
        ReadOptions(cache=cache, most_commits=1),
        ReadOptions(cache=cache, traffic=(traces,)),
    ):
        fresh = read_facts(root, options=msgspec.structs.replace(options, cache=None))
        for _ in range(2):
            assert read_facts(root, options=options) == fresh


def test_a_clone_that_was_deepened_is_read_again(tmp_path: Path) -> None:
    origin = Repository(tmp_path / "origin")
    for number in range(4):
        origin.commit(f"Change {number}", {"a.py": f"{number}\n"})
    root = tmp_path / "clone"
    origin.git("clone", "-q", "--depth", "2", f"file://{origin.root}", str(root))
    settle(root)
    options = ReadOptions(cache=tmp_path / "cache")
    assert len(read_facts(root, options=options).commits) == 2
    Repository(root).git("fetch", "-q", "--depth", "3")
    assert len(read_facts(root, options=options).commits) == 3


def test_another_edition_of_the_advisor_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_settled(tmp_path / "code", SHOP)
    options = ReadOptions(cache=tmp_path / "cache", history=False)
    read_facts(root, options=options)
    monkeypatch.setattr("ramet.advisor.cache.edition", lambda: b"x" * 16)
    _, told = told_while_reading(root, options)
    assert "meaning" in told


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("One", SHOP)
    for name in ("pipe.py", "Dockerfile", "CODEOWNERS", ".mailmap", ".gitattributes", "shop/pyproject.toml"):
        os.mkfifo(tmp_path / name)
    facts = read_facts(tmp_path, options=ReadOptions(cache=None))
    assert (len(facts.modules), len(facts.commits)) == (3, 1)


@pytest.mark.parametrize("other", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_a_file_that_became_something_else_is_not_waited_for(tmp_path: Path, other: Callable[[Path], None]) -> None:
    (file,) = walk(write(tmp_path, {"a.py": "import b\n"})).python
    (tmp_path / "a.py").unlink()
    other(tmp_path / "a.py")
    assert read_one(file).leaf.trouble == "permission"
    assert digest_of(file) == b""


def test_a_configuration_that_includes_a_pipe_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ramet.advisor.history.commits.QUICKLY_SECONDS", 0.5)
    Repository(tmp_path / "code").commit("One", SHOP)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "code/.git/config").open("a") as config:
        config.write(f"[include]\n\tpath = {tmp_path}/pipe\n")
    facts = read_facts(tmp_path / "code", options=ReadOptions(cache=None))
    assert gaps(facts)["History"] == 1
