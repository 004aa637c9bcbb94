"""Pure: the tables `policy` and `http` of a deployment as values, and the mistakes in them."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from ramet.model.application import Value
from ramet.model.policies import Budgets, Http, Policy
from ramet.runtime.toml import Keys, Mistakes

V = TypeVar("V", bound=Value)
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
    return Policies(_value(at, outer, Policy, mistakes), policies, _value(at, outer, Budgets, mistakes))


def read_http(at: Keys, raw: Any, mistakes: Mistakes) -> Http:
    """`[deployment.NAME.http]`."""
    if not isinstance(raw, dict):
        mistakes.add(at, f"[{'.'.join(at)}] is a table, such as `max_body_bytes = 65536`.")
        return Http()
    mistakes.known(at, raw, Http.__struct_fields__)
    return _value(at, raw, Http, mistakes)


def _of_one(at: Keys, table: dict[str, Any], mistakes: Mistakes) -> Policy:
    for name, value in table.items():
        if isinstance(value, dict):
            mistakes.add((*at, name), f'a method is named in quotes: [{".".join(at[:-1])}."{at[-1]}.{name}"].')
        elif name in SHARED:
            where = ".".join(at[:-1])
            mistakes.add((*at, name), f"{name} is shared by all calls: it belongs into [{where}].")
    rest = {name: value for name, value in table.items() if not isinstance(value, dict) and name not in SHARED}
    mistakes.known(at, rest, CALLS)
    return _value(at, rest, Policy, mistakes)


def _value(at: Keys, table: dict[str, Any], kind: type[V], mistakes: Mistakes) -> V:
    known = {name: value for name, value in table.items() if name in kind.__struct_fields__}
    found = mistakes.convert(at, known, kind)
    return kind() if found is None else found
