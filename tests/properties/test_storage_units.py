"""Whatever units do at the same time, the database is what the committed ones make of it one after the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ramet.errors import DuplicateRow, StorageError
from ramet.storage.base import Conflict, Unit, Write
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage

TABLES = (
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)",
    "CREATE TABLE mark (key INTEGER PRIMARY KEY)",
)
PUT = "INSERT INTO note (id, text) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET text = excluded.text"
ADD = "INSERT INTO note (id, text) VALUES (?, '+') ON CONFLICT (id) DO UPDATE SET text = text || '+'"
MARK = "INSERT INTO mark (key) VALUES (?)"


@dataclass(frozen=True)
class Program:
    """What one unit does: `steps` are ticks to wait (None) or notes to write; then it ends."""

    steps: list[tuple[int, str] | None]
    mark: int | None
    ends: str
    cancelled_after: int | None


notes = st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", "+"]))
programs = st.builds(
    Program,
    steps=st.lists(st.none() | notes, max_size=5),
    mark=st.none() | st.integers(1, 4),
    ends=st.sampled_from(["commit", "commit", "rollback", "raise", "write"]),
    cancelled_after=st.none() | st.none() | st.integers(0, 8),
)


class History:
    """Runs programs, and remembers those that were committed, in that order."""

    def __init__(self, storage: SqliteStorage) -> None:
        self.storage = storage
        self.committed: list[Program] = []

    async def run(self, program: Program) -> None:
        if program.ends == "write":
            await self.write(program)
            return
        unit = self.storage.unit()
        try:
            await self.steps(unit, program)
            unit.after_commit(lambda: self.committed.append(program))
            await (unit.rollback() if program.ends == "rollback" else unit.commit())
        finally:
            await unit.rollback()

    @staticmethod
    async def steps(unit: Unit, program: Program) -> None:
        for step in program.steps:
            if step is None:
                await asyncio.sleep(0)
            elif step[1] == "+":
                await unit.execute(ADD, step[0])
            else:
                await unit.execute(PUT, *step)
        if program.mark is not None:
            unit.defer(Write(MARK, [(program.mark,)]))
        if program.ends == "raise":
            raise LookupError

    async def write(self, program: Program) -> None:
        writes = [Write(ADD, [(step[0],)]) if step[1] == "+" else Write(PUT, [step]) for step in program.steps if step]
        if program.mark is not None:
            writes.append(Write(MARK, [(program.mark,)]))
        await self.storage.writer.rows.write(writes, lambda: self.committed.append(program))

    async def run_all(self, all_of_them: list[Program]) -> list[object]:
        tasks = [asyncio.ensure_future(self.run(program)) for program in all_of_them]
        for tick in range(10):
            await asyncio.sleep(0)
            for program, task in zip(all_of_them, tasks, strict=True):
                if program.cancelled_after == tick:
                    task.cancel()
        return list(await asyncio.gather(*tasks, return_exceptions=True))


def replay(committed: list[Program]) -> tuple[list[tuple[int, str]], list[tuple[int]]]:
    found: dict[int, str] = {}
    marks: list[tuple[int]] = []
    for program in committed:
        for step in filter(None, program.steps):
            found[step[0]] = found.get(step[0], "") + "+" if step[1] == "+" else step[1]
        if program.mark is not None:
            assert (program.mark,) not in marks
            marks.append((program.mark,))
    return sorted(found.items()), sorted(marks)


async def serial(all_of_them: list[Program], options: SqliteOptions) -> None:
    storage = SqliteStorage("shop", None, options)
    await storage.open(TABLES)
    history = History(storage)
    ends = await asyncio.wait_for(history.run_all(all_of_them), 20)
    notes = await storage.fetch("SELECT id, text FROM note ORDER BY id")
    marks = await storage.fetch("SELECT key FROM mark ORDER BY key")
    await storage.close()
    assert (notes, marks) == replay(history.committed)
    allowed = (DuplicateRow, LookupError, asyncio.CancelledError)
    assert all(end is None or isinstance(end, allowed) for end in ends), ends
    for program, end in zip(all_of_them, ends, strict=True):
        if end is None and program.ends in ("commit", "write"):
            assert any(program is one for one in history.committed)
        if isinstance(end, (DuplicateRow, LookupError, StorageError, Conflict)):
            assert not any(program is one for one in history.committed)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(programs, min_size=1, max_size=12),
    st.sampled_from(
        [
            SqliteOptions(synchronous="OFF", quick_commit_seconds=float("inf"), batch_seconds=60),
            SqliteOptions(synchronous="OFF", quick_commit_seconds=float("inf"), batch_units=2),
            SqliteOptions(synchronous="OFF", quick_commit_seconds=0),
        ]
    ),
)
def test_committed_units_are_serial(all_of_them: list[Program], options: SqliteOptions) -> None:
    asyncio.run(serial(all_of_them, options))
