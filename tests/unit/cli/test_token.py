"""`ramet token`: callers in other languages get what lets them call the contracts they name, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.runtime.credentials import verification
from tests.unit.cli.conftest import Ramet


def test_a_token_is_good_for_what_it_names(ramet: Ramet, hello: Path) -> None:
    made = ramet("token", "reports", "--may-call", "greetings", "--json")
    assert made.code == 0, made.err
    keys = hello / ".ramet" / "local" / "keys" / "public.json"
    peer = verification("made-by-test", "local", keys, SystemClock())(made.json["token"].encode())
    assert (peer.name, peer.may_call) == ("reports", frozenset({"greetings"}))


@pytest.mark.usefixtures("hello")
def test_a_contract_that_is_none_is_refused(ramet: Ramet) -> None:
    refused = ramet("token", "reports", "--may-call", "greeting")
    assert refused.code == 2
    assert "There is no contract greeting; there are greetings." in refused.err
