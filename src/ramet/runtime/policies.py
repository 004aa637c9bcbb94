"""Pure: the policies of each call of a deployment: what is said of its method, of its contract, of all calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from msgspec.structs import asdict

from ramet.contract.declared import Declared
from ramet.http.surroundings import Cors, HttpSettings
from ramet.model.policies import Policy
from ramet.model.topology import STARTUP_SECONDS, Deployment
from ramet.runtime.calls import DEFAULT_DEADLINE_SECONDS
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.policies import Policies

GATES = frozenset({"concurrency", "queue"})


class Deadlines(NamedTuple):
    """For how long a call may take: `usual` where it has no deadline of its own; `methods` have one in any case.

    `startup` is for each `startup()`.
    """

    usual: float = DEFAULT_DEADLINE_SECONDS
    methods: Mapping[str, float] = {}
    startup: float = STARTUP_SECONDS

    def of(self, method: str) -> float:
        """For a call that has no deadline of its own."""
        return self.methods.get(method, self.usual)


def deadlines(deployment: Deployment, declared: Declared) -> Deadlines:
    """Those of every call and start."""
    usual = deployment.policy.deadline_seconds
    own = {name: one.deadline_seconds for name, one in _methods(deployment, declared) if one.deadline_seconds}
    return Deadlines(DEFAULT_DEADLINE_SECONDS if usual is None else usual, own, deployment.startup_seconds)


def upstream(deployment: Deployment, declared: Declared, *, zone: str = "") -> Policies:
    """How the calls to other process groups are treated."""
    budgets = deployment.budgets
    base = Policies(zone=zone)
    base = replace(
        base,
        retries=replace(base.retries, **_given(budget_share=budgets.retry_share, budget_limit=budgets.retry_saved)),
        hedging=replace(base.hedging, **_given(share=budgets.hedging_share)),
    )
    base = _with(base, deployment.policy)
    return replace(base, methods={name: _with(base, policy) for name, policy in _methods(deployment, declared)})


def bulkhead(policy: Policy) -> Bulkhead:
    """How many calls are answered at a time."""
    return Bulkhead(**_given(concurrency=policy.concurrency, queue=policy.queue))


def bulkheads(deployment: Deployment, declared: Declared) -> Iterator[tuple[Bulkhead, tuple[str, ...]]]:
    """Those in the place of that of the whole process, each with the methods that share it."""
    all_methods = [name for name, _ in _methods(deployment, declared)]
    own = {name for name, policy in deployment.policies.items() if _gates(policy)}
    for name in sorted(own):
        inside = (
            (name,)
            if "." in name
            else tuple(one for one in all_methods if one.partition(".")[0] == name and one not in own)
        )
        yield bulkhead(deployment.policies[name]), inside


def http_settings(deployment: Deployment) -> HttpSettings:
    """Of the public APIs."""
    http = deployment.http
    given = _given(
        deadline_seconds=http.deadline_seconds,
        max_body=http.max_body_bytes,
        keep_alive_seconds=http.keep_alive_seconds,
        docs=http.docs,
        cors=Cors(origins=deployment.cors_origins) if deployment.cors_origins else None,
    )
    return HttpSettings(**given)


def said(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """What a deployment says beside the defaults, by the table that says it."""
    own = {"policy": {**asdict(deployment.policy), **asdict(deployment.budgets)}}
    own |= {f'policy."{name}"': asdict(policy) for name, policy in sorted(deployment.policies.items())}
    own["http"] = asdict(deployment.http)
    found = {name: _given(**table) for name, table in own.items()}
    return {name: table for name, table in found.items() if table}


def _methods(deployment: Deployment, declared: Declared) -> Iterator[tuple[str, Policy]]:
    """Every method of which something is said, with all that is said of it beyond the whole deployment."""
    own = deployment.policies
    for contract in declared.contracts:
        for name in contract.methods if own else ():
            method = f"{contract.name}.{name}"
            found = [own[one] for one in (contract.name, method) if one in own]
            if found:
                yield method, Policy(**{key: value for one in found for key, value in _given(**asdict(one)).items()})


def _with(base: Policies, policy: Policy) -> Policies:
    return replace(
        base,
        retries=replace(base.retries, **_given(attempts=policy.attempts, backoff_seconds=policy.backoff_seconds)),
        hedging=replace(base.hedging, **_given(enabled=policy.hedging, quantile=policy.hedging_quantile)),
        breaking=replace(
            base.breaking,
            **_given(
                failures=policy.breaker_failures,
                share=policy.breaker_share,
                window_seconds=policy.breaker_window_seconds,
                open_seconds=policy.breaker_open_seconds,
            ),
        ),
    )


def _gates(policy: Policy) -> bool:
    return any(getattr(policy, name) is not None for name in GATES)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
