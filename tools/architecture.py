"""Keeps the listing in ARCHITECTURE.md equal to the modules' own first lines; `--write` brings it up to date."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- modules: tools/architecture.py --write -->\n```text\n", "```\n<!-- end of modules -->"
COLUMN = 22


def listing(folder: Path, depth: int = 0) -> Iterator[str]:
    """One line a module, with the first line of its docstring; a package inside a package is one line as a whole.

    Modules of one command each are left out: `ramet --help` lists them.
    """
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.is_dir() and list(path.glob("**/*.py")):
            yield line(f"{path.name}/", first_line(path / "__init__.py"), depth)
            if depth == 0:
                yield from listing(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            first = first_line(path)
            if not first.startswith("`ramet "):
                yield line(path.stem, first, depth)


def line(name: str, docstring: str, depth: int) -> str:
    return f"{'  ' * depth + name:<{COLUMN}}{docstring}".rstrip() + "\n"


def first_line(path: Path) -> str:
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    return (ast.get_docstring(ast.parse(source)) or "").split("\n", 1)[0]


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = f"{before}{BEGIN}{''.join(listing(ROOT / 'src' / 'ramet'))}{END}{after}"
    if "--write" in arguments:
        PAGE.write_text(fresh, encoding="utf-8")
        return 0
    print(*difflib.unified_diff(page.splitlines(), fresh.splitlines(), "written", "true", lineterm=""), sep="\n")
    return int(page != fresh)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
