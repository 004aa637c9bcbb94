"""Compressing and, above all, decompressing what somebody else has compressed."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import zstandard

from ramet.errors import MissingExtra
from ramet.transport.compression import Corrupt, Zstandard, zstandard_if_installed

BODY = b"all the same " * 1000


def test_a_body_comes_back_as_it_was() -> None:
    zstd = Zstandard()
    assert zstd.decompress(zstd.compress(BODY), len(BODY)) == BODY


def test_one_byte_more_than_the_limit_is_refused() -> None:
    zstd = Zstandard()
    with pytest.raises(Corrupt, match=f"holds {len(BODY)} bytes"):
        zstd.decompress(zstd.compress(BODY), len(BODY) - 1)


def test_a_body_that_does_not_say_its_size_is_refused() -> None:
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(BODY)
    with pytest.raises(Corrupt):
        Zstandard().decompress(silent, 10 * len(BODY))


def test_a_body_that_lies_about_its_size_is_refused() -> None:
    honest = Zstandard().compress(b"\0" * 300)
    at = honest.index((300 - 256).to_bytes(2, "little"))
    lying = honest[:at] + (10 - 0).to_bytes(2, "little") + honest[at + 2 :]
    with pytest.raises(Corrupt, match="cannot be read"):
        Zstandard().decompress(lying, 1000)


@pytest.mark.parametrize("body", [b"", b"garbage", b"\x28\xb5\x2f\xfd"])
def test_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(Corrupt):
        Zstandard().decompress(body, 1000)


def test_without_the_library_nothing_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def gone(name: str, *args: Any, **options: Any) -> Any:
        if name == "zstandard":
            raise ImportError(name)
        return there(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", gone)
    assert zstandard_if_installed() is None
    with pytest.raises(MissingExtra, match=r"ramet\[processes\]"):
        Zstandard()
