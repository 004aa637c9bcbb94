"""`ramet new` makes an application that runs, and never overwrites anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Ramet


def test_what_is_made_has_no_problem(ramet: Ramet, hello: Path) -> None:
    result = ramet("check")
    assert (result.code, result.err) == (0, "")
    assert result.out == "made-by-test: 1 service, 1 API; no problem found.\n"


def test_no_placeholder_is_left(hello: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in hello.rglob("*") if path.suffix in {".py", ".toml", ".md"}]
    assert len(texts) > 5
    assert not [text for text in texts if "PACKAGE" in text or "NAME" in text]


def test_the_files_are_listed(ramet: Ramet, tmp_path: Path) -> None:
    result = ramet("new", "tea-shop", "-C", str(tmp_path), "--json")
    assert result.code == 0
    assert result.json["folder"] == str(tmp_path / "tea-shop")
    assert set(result.json["files"]) >= {"ramet.toml", "tea_shop/greetings/contract.py", ".gitignore"}
    assert all((tmp_path / "tea-shop" / name).is_file() for name in result.json["files"])


def test_nothing_is_overwritten(ramet: Ramet, tmp_path: Path) -> None:
    (tmp_path / "tea").mkdir()
    result = ramet("-C", str(tmp_path), "new", "tea")
    assert result.code == 2
    assert "is there already: choose another name, or remove it." in result.err
    assert list((tmp_path / "tea").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../tea",
        "/tmp/tea",
        "Tea",
        "1tea",
        "tea shop",
        "tea--shop",
        "-tea",
        "_tea",
        "tee.toml",
        "thé",
        "a" * 41,
    ],
)
def test_a_name_that_cannot_be_one_is_refused(ramet: Ramet, tmp_path: Path, name: str) -> None:
    result = ramet("-C", str(tmp_path), "new", "--", name)
    assert result.code == 2
    assert result.err.startswith(f'error: "{name}" cannot be the name of an application')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["class", "json", "ramet", "tests", "async"])
def test_a_name_that_python_has_taken_is_refused(ramet: Ramet, tmp_path: Path, name: str) -> None:
    result = ramet("-C", str(tmp_path), "new", name)
    assert (result.code, list(tmp_path.iterdir())) == (2, [])
    assert "is taken by Python or by Ramet itself" in result.err


def test_a_folder_that_cannot_be_written_is_one_sentence(ramet: Ramet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = ramet("-C", str(tmp_path / "file"), "new", "tea")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "cannot be written: Not a directory." in result.err
