"""Pure: what each part's own work needs, from the calls that were counted and the processor time that was measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ramet.advisor.placement.search import remote_cores
from ramet.advisor.placement.values import Edge, Groups


def own_cores(
    names: Sequence[str], edges: Sequence[Edge], measured: Groups, cores: float | None
) -> Mapping[str, float]:
    """Cores for each part. `cores` is the processor time of all processes a second, None where nobody measured it.

    Without it a part needs as much as the time its calls took less the calls it made meanwhile: too much, because
    waiting counts as work. With it, what is left after calls between processes is shared out by the number of calls,
    nobody getting more than that time; what nobody can have used so (background work) is shared out in the same way.
    """
    busy = _busy(names, edges)
    if cores is None:
        return busy
    home = {name: number for number, group in enumerate(measured) for name in group}
    crossing = [edge for edge in edges if home.get(edge.caller) != home.get(edge.callee) and edge.caller in home]
    left = max(0.0, cores - remote_cores(sum(edge.per_second for edge in crossing)))
    asked: defaultdict[str, float] = defaultdict(float)
    for edge in edges:
        asked[edge.callee] += edge.per_second
    return _shared(left, {name: asked[name] for name in names}, busy)


def _busy(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, float]:
    found = dict.fromkeys(names, 0.0)
    for edge in edges:
        took = edge.per_second * (edge.milliseconds or 0.0) / 1000
        if edge.callee in found:
            found[edge.callee] += took
        if edge.caller in found:
            found[edge.caller] -= took
    return {name: max(0.0, cores) for name, cores in found.items()}


def _shared(amount: float, weights: Mapping[str, float], most: Mapping[str, float]) -> dict[str, float]:
    """An amount by weights, nobody over their most as long as somebody has not got theirs."""
    found = dict.fromkeys(weights, 0.0)
    open_ = [name for name, weight in weights.items() if weight > 0]
    while open_ and amount > 1e-12:
        total = sum(weights[name] for name in open_)
        full = [name for name in open_ if found[name] + amount * weights[name] / total >= most[name]]
        if not full:
            return {
                name: cores + (amount * weights[name] / total if name in open_ else 0) for name, cores in found.items()
            }
        for name in full:
            amount -= most[name] - found[name]
            found[name] = most[name]
        open_ = [name for name in open_ if name not in full]
    total = sum(weights.values())
    return {name: cores + (amount * weights[name] / total if total else 0) for name, cores in found.items()}
