"""Keys are their owner's alone, and survive a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.errors import ConfigurationError
from ramet.identity.keys import KEPT, PUBLIC, SIGNING, make_keys, public_keys, signing_key


def test_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    signing_key(tmp_path / "keys")
    assert (tmp_path / "keys" / SIGNING).stat().st_mode & 0o777 == 0o600


def test_the_same_key_is_found_again(tmp_path: Path) -> None:
    assert signing_key(tmp_path).id == signing_key(tmp_path).id


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path)
    (tmp_path / SIGNING).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        signing_key(tmp_path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / SIGNING).touch(mode=0o600)
    with pytest.raises(ConfigurationError, match="no private key"):
        signing_key(tmp_path)


def test_a_rotation_keeps_the_last_public_keys(tmp_path: Path) -> None:
    made = [make_keys(tmp_path).id for _ in range(KEPT + 1)]
    assert list(public_keys(tmp_path / PUBLIC)) == made[1:]


@pytest.mark.parametrize("text", ["", "{}x", '{"keys": [{"kid": "a", "x": "AAAA"}]}'])
def test_a_file_that_is_no_key_set_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / PUBLIC).write_text(text)
    with pytest.raises(ConfigurationError, match="public"):
        public_keys(tmp_path / PUBLIC)
