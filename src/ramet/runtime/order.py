"""Pure: who needs whom, and in which order they start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ramet.contract.declared import DeclaredService


def dependencies(services: Sequence[DeclaredService]) -> dict[str, list[str]]:
    """Which of these services each of them calls, by name."""
    by_contract = {service.contract.cls: service.name for service in services}
    return {
        service.name: [by_contract[cls] for cls in service.needs.contracts.values() if cls in by_contract]
        for service in services
    }


def dependencies_first(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Everybody after those they need; inside a circle in the order given.

    >>> dependencies_first({"shop": ["stock"], "stock": []})
    ['stock', 'shop']
    """
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for needed in needs[name]:
                visit(needed)
            ordered.append(name)

    for name in needs:
        visit(name)
    return ordered
