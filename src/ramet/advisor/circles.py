"""Pure: circles in a graph of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def circles(targets: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components of more than one node, sorted (Tarjan 1972, without recursion).

    >>> circles({"a": ["b"], "b": ["a", "c"], "c": []})
    [('a', 'b')]
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    inside: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in sorted(targets):
        if root in order:
            continue
        work = [(root, iter(sorted(targets.get(root, ()))))]
        order[root] = low[root] = len(order)
        stack.append(root)
        inside.add(root)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    found += _component(node, stack, inside)
            elif following not in order:
                order[following] = low[following] = len(order)
                stack.append(following)
                inside.add(following)
                work.append((following, iter(sorted(targets.get(following, ())))))
            elif following in inside:
                low[node] = min(low[node], order[following])
    return sorted(found)


def _component(node: str, stack: list[str], inside: set[str]) -> list[tuple[str, ...]]:
    members = []
    while True:
        member = stack.pop()
        inside.discard(member)
        members.append(member)
        if member == node:
            return [tuple(sorted(members))] if len(members) > 1 else []
