"""Pure: the tables `policy` and `http` of a deployment as values, and the mistakes in them."""

from __future__ import annotations

from typing import Any, NamedTuple

from ramet.model.policies import Budgets, Http, Policy
from ramet.runtime.toml import Keys, Mistakes

CALLS, SHARED = Policy.__struct_fields__, Budgets.__struct_fields__


class Policies(NamedTuple):
    """Of all calls, of a contract's or method's, and what all share."""

    policy: Policy
    policies: dict[str, Policy]
    budgets: Budgets


def read_policies(at: Keys, raw: Any, mistakes: Mistakes) -> Policies:
    """`[deployment.NAME.policy]`, and the tables in it that are named for contracts and methods."""
    if not isinstance(raw, dict):
        mistakes.add(at, f'[{".".join(at)}] is a table, such as `attempts = 2` or ["inventory.stock"].')
        return Policies(Policy(), {}, Budgets())
    inner = {name: table for name, table in raw.items() if isinstance(table, dict) and name not in (*CALLS, *SHARED)}
    outer = {name: value for name, value in raw.items() if name not in inner}
    mistakes.known(at, outer, (*CALLS, *SHARED))
    policies = {name: _of_one((*at, name), table, mistakes) for name, table in inner.items()}
    policy, budgets = mistakes.convert(at, outer, Policy), mistakes.convert(at, outer, Budgets)
    return Policies(policy or Policy(), policies, budgets or Budgets())


def read_http(at: Keys, raw: Any, mistakes: Mistakes) -> Http:
    """`[deployment.NAME.http]`."""
    if not isinstance(raw, dict):
        mistakes.add(at, f"[{'.'.join(at)}] is a table, such as `max_body_bytes = 65536`.")
        return Http()
    return mistakes.read(at, raw, Http) or Http()


def _of_one(at: Keys, table: dict[str, Any], mistakes: Mistakes) -> Policy:
    for name, value in table.items():
        if isinstance(value, dict):
            mistakes.add((*at, name), f'a method is named in quotes: [{".".join(at[:-1])}."{at[-1]}.{name}"].')
        elif name in SHARED:
            where = ".".join(at[:-1])
            mistakes.add((*at, name), f"{name} is shared by all calls: it belongs into [{where}].")
    rest = {name: value for name, value in table.items() if not isinstance(value, dict) and name not in SHARED}
    return mistakes.read(at, rest, Policy) or Policy()
