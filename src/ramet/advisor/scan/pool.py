"""Reading many files in several processes; a process that dies takes no more than one file with it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext

import msgspec

from ramet.advisor.scan.leaf import Leaf, Read
from ramet.advisor.scan.parse import leaf_of
from ramet.advisor.scan.tree import LARGEST_READ, File, content_digest, content_of

BATCH_BYTES = 1_000_000
FEWEST_BYTES = 1_500_000  # below this, starting processes costs more than it saves
Done = Callable[[int], None]


def processes() -> int:
    """How many processes read: one for each processor this process may use, at most 8."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def context() -> BaseContext:
    """Forking is quickest and safe as long as this process has one thread; elsewhere processes start afresh."""
    forks = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if forks else "spawn")


def read_one(file: File) -> Read:
    """The leaf of a file; what cannot be opened has `trouble`."""
    try:
        data = content_of(file.where, LARGEST_READ)
    except OSError as error:
        return Read(b"", Leaf(trouble="permission", detail=error.strerror or type(error).__name__))
    return Read(content_digest(data), _encodable(leaf_of(data)))


def read_batch(files: Sequence[File]) -> bytes:
    """Leaves of several files, encoded; the collector rests, because trees have no cycles."""
    gc.disable()
    try:
        return msgspec.msgpack.encode([read_one(file) for file in files])
    finally:
        gc.enable()


def _encodable(leaf: Leaf) -> Leaf:
    try:
        msgspec.msgpack.encode(leaf)
    except UnicodeEncodeError:
        return Leaf(lines=leaf.lines, trouble="encoding", detail="half characters in its names")
    return leaf


def batches(files: Sequence[File]) -> Iterator[list[File]]:
    """Groups of about the same size, so that all processes end together."""
    batch: list[File] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def decode(data: bytes) -> list[Read]:
    """Leaves as `read_batch` encoded them."""
    return msgspec.msgpack.decode(data, type=list[Read])


class Ahead:
    """Files that are being read, or will be when they are asked for, where there is no pool."""

    def __init__(self, files: Sequence[File], pool: ProcessPoolExecutor | None) -> None:
        self._batches = list(batches(files))
        self._futures: dict[Future[bytes], list[File]] = {}
        self._lost: list[File] = []
        for batch in self._batches if pool else ():
            assert pool is not None
            try:
                self._futures[pool.submit(read_batch, batch)] = batch
            except BrokenProcessPool:
                self._lost += batch
        self._here = [] if pool else self._batches

    def leaves(self, done: Done) -> dict[str, Read]:
        """All leaves by path; `done` is told how many files came."""
        found: dict[str, Read] = {}
        for batch in self._here:
            found.update(_named(batch, read_batch(batch), done))
        while self._futures:
            for future in wait(self._futures, return_when="FIRST_COMPLETED").done:
                batch = self._futures.pop(future)
                try:
                    found.update(_named(batch, future.result(), done))
                except BrokenProcessPool:
                    self._lost += batch
        for file in self._lost:
            found[file.path] = _alone(file)
            done(1)
        return found


def _named(batch: Sequence[File], data: bytes, done: Done) -> dict[str, Read]:
    done(len(batch))
    return dict(zip((file.path for file in batch), decode(data), strict=True))


def _alone(file: File) -> Read:
    """A file whose company may have killed its process, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as single:
        try:
            return decode(single.submit(read_batch, [file]).result())[0]
        except BrokenProcessPool:
            return Read(b"", Leaf(trouble="crash", detail="the reader of this file died"))
