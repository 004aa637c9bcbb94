"""Who is let in over TLS: certificates of one authority, and what becomes of renewed and wrong ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ramet.errors import ConfigurationError, Unavailable
from ramet.transport.options import Tls
from tests.integration.transport.bed import Authority, Bed


async def test_a_client_without_a_certificate_of_the_authority_is_not_let_in_and_the_log_says_why(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await bed.start("tls")
    ours = bed.options.tls
    assert ours is not None
    stranger = Authority(bed.folder, "stranger").certified("strange")
    for tls in (replace(ours, certificate=None, key=None), replace(stranger, authority=ours.authority)):
        with pytest.raises(Unavailable):
            await bed.dial(tls=tls)
    assert not bed.shop.seen
    told = [one.getMessage() for one in caplog.records if "let in by TLS" in one.getMessage()]
    assert ["peer did not return a certificate" in told[0], "verify failed" in told[1]] == [True, True]


async def test_a_server_with_a_certificate_of_somebody_else_is_not_trusted(bed: Bed) -> None:
    await bed.start("tls")
    with pytest.raises(Unavailable, match="certificate"):
        await bed.dial(tls=Authority(bed.folder, "stranger").certified("strange"))


async def test_a_certificate_for_another_host_is_not_trusted(bed: Bed) -> None:
    await bed.start("tls")
    assert bed.options.tls is not None
    with pytest.raises(Unavailable, match="certificate"):
        await bed.dial(tls=replace(bed.options.tls, server_name="bank.example"))


async def test_a_certificate_that_is_renewed_is_shown_to_whoever_comes_next(bed: Bed) -> None:
    await bed.start("tls")
    before = await bed.dial()
    bed.options = replace(bed.options, tls=Authority(bed.folder, "other").certified("both"))
    with pytest.raises(Unavailable):
        await bed.dial()  # the server takes it still for a stranger's
    (bed.folder / "authority.pem").write_bytes((bed.folder / "other.pem").read_bytes())
    after = await bed.dial()
    for channel in (before, after):
        assert await channel.call(bed.call("echo", b"x")) == b"x"
        await channel.close()


async def test_a_certificate_that_cannot_be_read_does_not_take_the_place_of_the_one_before(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await bed.start("tls")
    tls = bed.options.tls
    assert tls is not None
    assert tls.certificate is not None
    kept = tls.certificate.read_bytes()
    for name in ("kept.crt", "kept.key"):
        (bed.folder / name).write_bytes((bed.folder / name.replace("kept", "both")).read_bytes())
    tls.certificate.write_bytes(b"half of it")
    mine = replace(tls, certificate=bed.folder / "kept.crt", key=bed.folder / "kept.key")
    for _ in range(2):
        channel = await bed.dial(tls=mine)
        assert await channel.call(bed.call("echo", b"x")) == b"x"
        await channel.close()
    assert caplog.text.count("What was there before is still used") == 1
    tls.certificate.write_bytes(kept)
    await (await bed.dial(tls=mine)).close()


@pytest.mark.parametrize("tls", [None, Tls(certificate=None)])
async def test_a_server_without_a_certificate_is_a_mistake_of_the_configuration(bed: Bed, tls: Tls | None) -> None:
    with pytest.raises(ConfigurationError, match="needs a certificate"):
        await bed.start("tls", tls=tls)


async def test_a_certificate_that_is_not_there_is_a_mistake_of_the_configuration(bed: Bed) -> None:
    missing = bed.folder / "missing.crt"
    with pytest.raises(ConfigurationError, match=r"missing\.crt"):
        await bed.start("tls", tls=Tls(certificate=missing, key=missing))
