"""`ramet token`: what a caller in another language shows to call contracts over HTTP."""

from __future__ import annotations

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared
from ramet.cli.command import Choices, command
from ramet.errors import ConfigurationError

HOUR_SECONDS = 3600.0


@command(
    ("ramet token recommendations --may-call catalog", "a token for a service in another language"),
    ("ramet token reports --may-call orders --may-call payments -d split --hours 1", "for one hour, of a deployment"),
)
@click.argument("name")
@click.option("--may-call", "contracts", multiple=True, required=True, metavar="CONTRACT", help="May be repeated.")
@click.option("--hours", type=click.FloatRange(min=0.01), default=24.0, help="How long it is valid; 24 by default.")
@click.option("--deployment", "-d", default="local", help="The deployment; local by default.")
def token(choices: Choices, name: str, contracts: tuple[str, ...], hours: float, deployment: str) -> None:
    """Sign a token with the deployment's key, which is made if there is none."""
    from ramet.clock import SystemClock
    from ramet.identity.keys import signing_key
    from ramet.identity.tokens import Issuer, issuer_of

    found = configuration(choices)
    chosen = found.deployment(deployment)
    known = sorted(contract.name for contract in declared(found).contracts)
    if unknown := sorted(set(contracts) - set(known)):
        raise ConfigurationError(f"There is no contract {unknown[0]}; there are {', '.join(known)}.")
    key = signing_key(found.folder / chosen.data / "keys")
    issuer = Issuer(
        key,
        issuer_of(found.application.name, chosen.name),
        clock=SystemClock(),
        lifetime_seconds=hours * HOUR_SECONDS,
    )
    text = issuer.replica(name, hosts=(), may_call=frozenset(contracts)).decode()
    if choices.json:
        output.document({"token": text, "name": name, "may_call": list(contracts), "hours": hours})
    else:
        output.raw(text + "\n")
