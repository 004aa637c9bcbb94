"""Each replica's token says what it is and what it may call, and is renewed where it lies."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.identity.tokens import Verifier
from ramet.runtime.supervisor.identities import Identities


async def test_a_token_is_verified_with_the_public_keys_and_is_its_owners_alone(tmp_path: Path) -> None:
    clock = VirtualClock()
    identities = Identities(tmp_path, "shop/split", {"edge": frozenset({"stock"})}, clock)
    path = identities.token("edge", 1, ("storefront",))
    found = Verifier(identities.keys, "shop/split", clock=clock).replica(path.read_bytes())
    assert (found.name, found.hosts, found.may_call) == ("edge/1", ("storefront",), frozenset({"stock"}))
    assert path.stat().st_mode & 0o077 == 0


async def test_tokens_are_renewed_before_they_expire(tmp_path: Path) -> None:
    clock = VirtualClock()
    identities = Identities(tmp_path, "shop/split", {}, clock)
    path = identities.token("edge", 0, ())
    verifier = Verifier(identities.keys, "shop/split", clock=clock)
    first = verifier.replica(path.read_bytes())
    keeping = asyncio.ensure_future(identities.keep())
    await clock.advance(timedelta(seconds=4 * identities.renewed_seconds))
    assert verifier.replica(path.read_bytes()).expires_at > first.expires_at
    keeping.cancel()


async def test_what_cannot_be_renewed_for_some_time_is_renewed_soon_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, folder, away = VirtualClock(), tmp_path / "keys", tmp_path / "away"
    identities = Identities(folder, "shop/split", {}, clock)
    path = identities.token("edge", 0, ())
    first = path.read_bytes()
    folder.rename(away)
    keeping = asyncio.ensure_future(identities.keep())
    await clock.advance(timedelta(seconds=identities.renewed_seconds))
    assert "Tokens cannot be renewed" in caplog.text
    away.rename(folder)
    await clock.advance(timedelta(seconds=60))
    assert path.read_bytes() != first
    keeping.cancel()


def test_the_key_of_a_deployment_stays_the_same(tmp_path: Path) -> None:
    clock = VirtualClock()
    token = Identities(tmp_path, "shop/split", {}, clock).token("edge", 0, ())
    again = Identities(tmp_path, "shop/split", {}, clock)
    assert Verifier(again.keys, "shop/split", clock=clock).replica(token.read_bytes()).name == "edge/0"
