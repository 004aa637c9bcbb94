"""`ramet certs`: an authority and certificates, as text and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Ramet

pytestmark = pytest.mark.usefixtures("hello")


def test_a_certificate_is_made_with_its_authority_and_shown(ramet: Ramet) -> None:
    made = ramet("certs", "make", "edge", "--host", "edge.internal", "--json")
    assert made.code == 0, made.err
    assert Path(made.json["key"]).stat().st_mode & 0o777 == 0o600
    shown = ramet("certs", "show", "--json").json
    assert [one["subject"] for one in shown if one["subject"] == "edge"] == ["edge"]
    assert "edge.internal" in ramet("certs", "show").out


def test_a_name_that_cannot_be_a_file_is_refused(ramet: Ramet) -> None:
    refused = ramet("certs", "make", "../edge")
    assert refused.code == 2
    assert "letters, digits and hyphens" in refused.err
