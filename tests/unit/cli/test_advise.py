"""`ramet advise` on a small repository: one screen, versioned reports, and one sentence where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ramet.advisor.baseline import FORMAT as BASELINE
from tests.unit.advisor.code_base import settle, write
from tests.unit.cli.advised import shop
from tests.unit.cli.conftest import Ramet

pytestmark = pytest.mark.needs("git")
REPORTS = ("html", "markdown", "sarif", "write-baseline", "write-rules")
KEYS = [
    "format", "root", "counts", "readiness", "indicators", "delivery", "candidates", "stability", "caveats", "matrix",
    "steps", "findings", "left_out", "gaps",
]  # fmt: skip
"""What docs/reference/advice.md describes: a change of these is a change of the format."""
CANDIDATE = [
    "name", "origin", "folders", "modules", "lines", "score", "strength", "reasons", "fan_in", "fan_out", "links_in",
    "links_out", "crossing", "contract", "tables", "shared", "torn", "commits", "commits_alone", "authors", "owners",
    "hot_spots", "words", "perspectives", "effort",
]  # fmt: skip
FINDING = ["rule", "subject", "message", "severity", "strength", "places", "measure", "threshold"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop; the cache of the test is its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shop(tmp_path / "shop")


def test_the_advice_fits_a_screen_and_says_what_is_wrong_where(ramet: Ramet, path: Path) -> None:
    found = ramet("advise", str(path))
    assert found.code == 0
    assert len(found.out.splitlines()) <= 45
    assert "Stay with one application" in found.out
    assert "shop/orders writes stock_stock of shop/stock in 1 place. (shop/orders/checkout.py:8)" in found.out
    assert "2 developers (fewer than 10)" in found.out


def test_the_document_has_the_keys_that_its_format_promises(ramet: Ramet, path: Path) -> None:
    document = ramet("advise", str(path), "--cut", "shop/stock", "--json").json
    assert document["format"] == "ramet.advice/1"
    assert list(document) == KEYS
    (candidate,) = document["candidates"]
    assert list(candidate) == CANDIDATE
    assert [list(one) for one in document["findings"]] == [FINDING] * len(document["findings"])
    assert list(document["counts"]) == ["modules", "lines", "commits", "tables", "routes", "services"]


def test_a_cut_is_told_with_the_transaction_it_tears(ramet: Ramet, path: Path) -> None:
    found = ramet("advise", str(path), "--cut", str(path / "shop" / "stock"))
    assert "torn: place at shop/orders/checkout.py:8" in found.out
    assert "shared: stock_stock" in found.out


@pytest.mark.parametrize("cut", ["nowhere", "", ".", "../..", "shop"])
def test_a_cut_of_nothing_or_of_everything_is_refused(ramet: Ramet, path: Path, cut: str) -> None:
    found = ramet("advise", str(path), "--cut", cut)
    assert found.code == 2
    assert "folder" in found.err


def test_two_runs_write_the_same_bytes(ramet: Ramet, path: Path, tmp_path: Path) -> None:
    runs = []
    settle(path)
    for options in (["--no-cache"], [], []):
        shown = ramet("advise", str(path), *options, *(f"--{one}={tmp_path / one}" for one in REPORTS)).out
        document = ramet("advise", str(path), *options, "--json").out
        runs.append((shown, document, [(tmp_path / one).read_bytes() for one in REPORTS]))
    assert runs[0] == runs[1] == runs[2]


def test_a_baseline_lets_pass_what_is_known_and_fails_for_what_is_new(ramet: Ramet, path: Path) -> None:
    baseline = path.parent / "known.json"
    assert ramet("advise", str(path), f"--write-baseline={baseline}").code == 0
    assert json.loads(baseline.read_bytes())["format"] == BASELINE
    assert ramet("advise", str(path), f"--baseline={baseline}").code == 0
    text = "from shop.stock.models import Stock\n\n\ndef clear():\n    Stock.objects.all().delete()\n"
    write(path, {"shop/pages/clear.py": text})
    found = ramet("advise", str(path), f"--baseline={baseline}")
    assert found.code == 1
    assert "shop/pages/clear.py:5: shop/pages writes stock_stock" in found.err
    assert "checkout.py" not in found.err
    baseline.write_text("{")
    assert ramet("advise", str(path), f"--baseline={baseline}").code == 2


def test_what_is_gone_should_leave_the_baseline(ramet: Ramet, path: Path) -> None:
    baseline = path.parent / "known.json"
    ramet("advise", str(path), f"--write-baseline={baseline}")
    (path / "shop/orders/checkout.py").unlink()
    found = ramet("advise", str(path), f"--baseline={baseline}")
    assert found.code == 0
    assert "tighten the baseline" in found.err


def test_boundaries_as_they_are_today_hold_until_something_new_crosses_them(ramet: Ramet, path: Path) -> None:
    rules = path.parent / "boundaries.toml"
    ramet("advise", str(path), f"--write-rules={rules}")
    assert 'may_use = ["stock"]' in rules.read_text()
    before = ramet("advise", str(path), f"--rules={rules}", "--json").json
    assert not [one for one in before["findings"] if one["rule"] == "boundary"]
    write(path, {"shop/pages/rules.py": "from shop.orders.rules import allowed\n"})
    after = ramet("advise", str(path), f"--rules={rules}", "--json").json
    crossing = [one for one in after["findings"] if one["rule"] == "boundary"]
    assert {one["severity"] for one in crossing} == {"error"}
    assert {"path": "shop/pages/rules.py", "line": 1} in crossing[0]["places"]


def test_a_boundary_around_nothing_is_among_the_gaps(ramet: Ramet, path: Path) -> None:
    rules = path.parent / "boundaries.toml"
    rules.write_text('[boundary.gone]\npaths = ["shop/gone"]\n')
    assert "no module is at shop/gone" in ramet("advise", str(path), f"--rules={rules}").err


@pytest.mark.parametrize("option", ["--answers", "--rules", "--baseline"])
@pytest.mark.parametrize("content", [b"not = [", b"{", b"\xff\xfe\x00", b"[]", b'{"format": "other/9"}'])
def test_a_file_that_is_not_what_it_should_be_is_one_sentence(
    ramet: Ramet, path: Path, option: str, content: bytes
) -> None:
    file = path.parent / "odd"
    file.write_bytes(content)
    found = ramet("advise", str(path), option, str(file))
    assert found.code == 2
    assert len(found.err.splitlines()) == 1
    assert "odd" in found.err


def test_answers_raise_the_score(ramet: Ramet, path: Path) -> None:
    answers = path.parent / "answers.toml"
    answers.write_text("team = 30\n\n[answers]\nmanagement = true\n")
    found = ramet("advise", str(path), f"--answers={answers}", "--json").json["readiness"]
    assert found["team"] == 30
    assert {one["id"]: one["source"] for one in found["items"]}["management"] == "answered"


def test_an_interview_needs_a_terminal(ramet: Ramet, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        found = ramet("advise", str(path), "--interview")
    assert found.code == 2
    assert "terminal" in found.err


@pytest.mark.parametrize("files", [{}, {"readme.md": "Nothing but words."}], ids=["empty", "no Python"])
def test_where_there_is_no_python_one_sentence_says_so(ramet: Ramet, tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "here").mkdir()
    found = ramet("advise", str(write(tmp_path / "here", files)), "--no-cache")
    assert (found.code, found.out) == (2, "")
    assert "There is no Python module below" in found.err


def test_a_report_that_cannot_be_written_is_one_sentence(ramet: Ramet, path: Path) -> None:
    found = ramet("advise", str(path), f"--html={path}/no/such/folder/a.html")
    assert found.code == 2
    assert "cannot be written" in found.err


def test_odd_files_become_gaps_and_no_error(ramet: Ramet, tmp_path: Path) -> None:
    root = tmp_path / "odd"
    write(root, {f"old{number}.py": 'print "hello"\nexec "x" in {}\n' for number in range(12)})
    (root / "bytes.py").write_bytes(bytes(range(256)) * 9)
    (root / "latin.py").write_bytes(b"name = '\xe9'\n")
    (root / "unknown.py").write_bytes(b"# -*- coding: nonsense -*-\nx = 1\n")
    (root / "deep.py").write_text("x = " + "(" * 3000 + "1" + ")" * 3000)
    (root / "loop").symlink_to(root)
    found = ramet("advise", str(root), "--no-cache", f"--html={tmp_path / 'odd.html'}")
    assert found.code == 0
    assert "Files whose syntax could not be read" in found.err
    assert "this is no git repository" in found.err
    assert "Left out on purpose: link 1" in found.err


def test_a_shallow_clone_is_read_and_said_to_be_one(ramet: Ramet, path: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--depth=3", f"file://{path}", str(tmp_path / "clone")], check=True)
    found = ramet("advise", str(tmp_path / "clone"))
    assert found.code == 0
    assert "shallow" in found.err


BLOCKED = """
import sys
sys.modules[sys.argv[1]] = None  # as if it were not installed
from ramet.cli.entry import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("library", "option", "code", "said"),
    [
        ("igraph", "--json", 2, "ramet[advisor]"),
        ("jinja2", "--html=report.html", 2, "ramet[advisor]"),
        ("sqlglot", "--no-history", 0, "sqlglot is not installed"),
    ],
)
def test_without_a_library_of_the_extra(path: Path, library: str, option: str, code: int, said: str) -> None:
    command = [sys.executable, "-c", BLOCKED, library, "advise", str(path), option]
    found = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (code, False)
    assert said in found.stderr + found.stdout
