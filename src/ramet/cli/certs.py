"""`ramet certs`: certificates for TLS between hosts, from an authority of the deployment's own."""

from __future__ import annotations

from pathlib import Path

import click

from ramet.cli import output
from ramet.cli.application import configuration
from ramet.cli.command import Choices, command, deployment_option, group

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@command(
    ("ramet certs make edge -d split", "for the process group edge, on this machine"),
    ("ramet certs make money --host money.internal --host 10.0.0.7", "for other hosts"),
)
@click.argument("name")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="A name or address it is reached by; repeatable.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is valid.")
@deployment_option
def make(choices: Choices, name: str, hosts: tuple[str, ...], days: int, deployment: str) -> None:
    """Make a certificate for a process group.

    The first time, the authority that signs it is made, too. A new certificate takes the place of the former one.
    """
    from ramet.clock import SystemClock
    from ramet.identity.certificates import Authority

    folder, application = _place(choices, deployment)
    authority = Authority(folder, clock=SystemClock())
    trusted = authority.make(f"{application} {deployment}")
    made = authority.issue(name, hosts or LOOPBACK, days=days)
    written = {"authority": trusted.certificate, "certificate": made.certificate, "key": made.key}
    if choices.json:
        output.document(written)
    else:
        output.say("\n".join(f"{what:<11}  {path}" for what, path in written.items()))


@command(("ramet certs show -d split", "who has one, for which hosts, until when"))
@deployment_option
def show(choices: Choices, deployment: str) -> None:
    """Show the certificates of a deployment."""
    from ramet.identity.certificates import certificates

    folder, _ = _place(choices, deployment)
    found = certificates(folder)
    if choices.json:
        output.document([one._asdict() for one in found])
    elif not found:
        output.say("There are none. `ramet certs make NAME` makes one.")
    else:
        rows = [(one.file.stem, ", ".join(one.names) or "-", one.issuer, f"{one.expires:%Y-%m-%d}") for one in found]
        output.table(("name", "hosts", "signed by", "expires"), rows)


def _place(choices: Choices, deployment: str) -> tuple[Path, str]:
    """The folder of a deployment's certificates, and the application's name."""
    found = configuration(choices)
    return found.folder / found.deployment(deployment).data / "certificates", found.application.name


certs = group("certs", "Certificates for TLS between hosts: make, show.", make, show)
