"""A process knows whether it has replaced another, and for how long it has run."""

from __future__ import annotations

import os
import socket

import pytest

from ramet.runtime import replacing


def test_a_fresh_process_has_replaced_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(replacing.REPLACED, raising=False)
    monkeypatch.delenv(replacing.LISTENER, raising=False)
    assert not replacing.is_replacement()
    assert replacing.inherited() is None


def test_the_child_of_a_replaced_process_is_none_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(replacing.REPLACED, f"{os.getpid() + 1}@5.0")
    assert not replacing.is_replacement()


def test_the_listener_is_inherited_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        monkeypatch.setenv(replacing.LISTENER, str(os.dup(left.fileno())))
        with replacing.inherited() or left as found:
            assert found is not left
            assert found.getsockname() == left.getsockname()
            assert not found.get_inheritable()
        assert replacing.inherited() is None


def test_the_age_counts_from_the_start_or_from_the_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(replacing.REPLACED, raising=False)
    whole = replacing.age_seconds()
    if whole is None:
        pytest.skip("this operating system does not tell when a process began")
    assert whole > 0
    monkeypatch.setenv(replacing.REPLACED, f"{os.getpid()}@{replacing._uptime()}")
    fresh = replacing.age_seconds()
    assert fresh is not None
    assert fresh <= whole
