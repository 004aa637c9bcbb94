"""Runs the fenced blocks of a page, in order, as CONTRIBUTING.md describes.

```python                executed; one namespace a page, `await` works at the top level
```python file=a/b.py    written to that path below the scratch folder (any language)
```python sketch         compiled only
```console run           each `$ command` run; the lines below it must appear, in order, `...` stands for anything;
                         after `$ cd folder` the page goes on there
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

from tests.fresh import fresh
from tests.house.tree import ROOT

OPEN = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w+-]*) *(?P<rest>.*)$")
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fence. `line` is that of its first line of content, counted from 1."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fences of a page, from top to bottom."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = OPEN.match(lines[number])
        number += 1
        if not fence:
            continue
        start, close = number, fence["indent"] + fence["ticks"]
        while lines[number].rstrip() != close:
            number += 1
        text = textwrap.dedent("\n".join(lines[start:number])) + "\n"
        words = tuple(fence["rest"].split())
        yield Block(page=page, line=start + 1, language=fence["language"], words=words, text=text)
        number += 1


def runs(page: Path) -> bool:
    """Whether there is anything on this page that a test can run or compile."""
    return any(block.language == "python" or "run" in block.words for block in blocks(page))


class Reader:
    """Does what a reader of the page would do, in a scratch folder."""

    def __init__(self, folder: Path, page: Path) -> None:
        self._folder = self._scratch = folder
        self._module = ModuleType(f"page_{page.stem.replace('-', '_')}")
        self._started: list[asyncio.subprocess.Process] = []
        self._fresh = ExitStack()

    async def __aenter__(self) -> Self:
        self._fresh.enter_context(fresh("shop"))
        self._modules = set(sys.modules)
        sys.modules[self._module.__name__] = self._module
        sys.path.insert(0, str(self._folder))
        return self

    async def __aexit__(self, *failure: object) -> None:
        for process in self._started:
            if process.returncode is None:
                os.killpg(process.pid, 15)
            await process.communicate()
        sys.path[:] = [entry for entry in sys.path if not entry.startswith(str(self._scratch))]
        for name in set(sys.modules) - self._modules:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(self._scratch)):
                del sys.modules[name]
        sys.modules.pop(self._module.__name__, None)
        self._fresh.close()

    async def follow(self, block: Block) -> None:
        if block.file:
            path = self._folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            await self._python(block)
        elif block.language == "console" and "run" in block.words:
            for command, expected in commands(block):
                if command.startswith("cd "):
                    self._enter(self._folder / command.removeprefix("cd "))
                else:
                    await self._console(block, command, expected)

    def _enter(self, folder: Path) -> None:
        """What follows on the page happens there."""
        assert folder.is_dir(), f"there is no {folder}"
        self._folder = folder
        sys.path.insert(0, str(folder))

    async def _python(self, block: Block) -> None:
        tree = ast.parse(block.text, filename=str(block.page))
        ast.increment_lineno(tree, block.line - 1)
        code = compile(tree, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if "sketch" in block.words:
            return
        result = eval(code, vars(self._module))
        if inspect.iscoroutine(result):
            await result

    async def _console(self, block: Block, command: str, expected: list[str]) -> None:
        background = command.endswith(" &")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        process = await asyncio.create_subprocess_shell(
            command.removesuffix(" &"),
            cwd=self._folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "COLUMNS": "120"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._started.append(process)
        seen = await self._read(process, expected)
        if not background:
            rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
            seen += rest.decode()
            assert process.returncode == 0, f"{block.where}: `{command}` failed:\n{seen}"

    async def _read(self, process: asyncio.subprocess.Process, expected: list[str]) -> str:
        """Read until every expected line has appeared, in order."""
        assert process.stdout
        seen, ahead = "", [line for line in expected if line.strip() not in {"", "..."}]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while ahead:
                line = (await process.stdout.readline()).decode()
                assert line, f"{ahead[0]!r} never appeared in:\n{seen}"
                seen += line
                if matches(ahead[0], line):
                    ahead.pop(0)
        return seen


def matches(expected: str, line: str) -> bool:
    """Whether a line of output is the expected one; `...` stands for anything."""
    parts = (re.escape(part.strip()) for part in expected.strip().split("..."))
    return re.fullmatch(r"\s*" + r".*".join(parts) + r"\s*", line.rstrip("\n")) is not None


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each `$ command` of a console block with the lines expected below it; a trailing backslash joins lines."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.replace("\\\n", "").splitlines():
        if line.startswith("$ "):
            found.append((line[2:].split("  #")[0].strip(), []))
        elif found:
            found[-1][1].append(line)
    yield from found
