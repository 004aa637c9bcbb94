"""What a module may be and may import."""

from __future__ import annotations

import ast

from tests.house.tree import library, listed

NOT_PURE = {"asyncio", "socket", "time", "random", "logging"}
ONLY_THE_CLOCK = {"time", "random"}
ADAPTERS = (
    "ramet.storage.sqlite",
    "ramet.storage.postgres",
    "ramet.events.brokers.memory",
    "ramet.events.brokers.nats",
    "ramet.events.brokers.rabbitmq",
    "ramet.events.brokers.redis",
)
MAY_IMPORT_ADAPTERS = ("ramet.runtime.wiring", "ramet.testing")
TESTING = ("ramet.testing.application", "ramet.testing.servers")
MAY_IMPORT_LATE = ("ramet.cli", "ramet.runtime.wiring", "ramet.testing.plugin", *TESTING)
"""These import what they start when they start it, to be quick when they do not."""
NEVER_THE_RUNNING_SYSTEM = ("ramet.gateway", "ramet.deploy", "ramet.advisor")


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_every_module_begins_with_its_sentence() -> None:
    offenders = [
        module.where
        for module in library()
        if not module.docstring or not module.docstring.splitlines()[0].rstrip().endswith((".", ":"))
    ]
    assert not offenders, listed(offenders)


def test_pure_modules_do_no_io() -> None:
    offenders = [
        f"{module.where}:{found.line}: imports {found.name}"
        for module in library()
        if module.is_pure
        for found in module.imports
        if found.name.split(".")[0] in NOT_PURE
    ]
    assert not offenders, listed(offenders)


def test_only_the_clock_asks_for_time_and_chance() -> None:
    offenders = [
        f"{module.where}:{found.line}: imports {found.name}"
        for module in library()
        if module.name != "ramet.clock"
        for found in module.imports
        if found.name.split(".")[0] in ONLY_THE_CLOCK
    ]
    offenders += [
        f"{module.where}:{node.lineno}: asks datetime for the moment"
        for module in library()
        if module.name != "ramet.clock"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and f"{_name(node.value)}.{node.attr}" in NOW
    ]
    assert not offenders, listed(offenders)


NOW = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now"}


def test_tasks_are_created_in_one_module() -> None:
    offenders = [
        f"{module.where}:{node.lineno}: {_name(node)}"
        for module in library()
        if module.name != "ramet.tasks"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"create_task", "ensure_future"}
        and ("asyncio" in _name(node.value) or "loop" in _name(node.value))
    ]
    offenders += [
        f"{module.where}:{found.line}: {found.name}"
        for module in library()
        for found in module.imports
        if found.name in {"asyncio.create_task", "asyncio.ensure_future"}
    ]
    assert not offenders, listed(offenders)


def test_only_the_wiring_and_testing_import_adapters() -> None:
    offenders = [
        f"{module.where}:{found.line}: imports {found.name}"
        for module in library()
        for found in module.imports
        for adapter in ADAPTERS
        if within(found.name, (adapter,)) and not within(module.name, (adapter, *MAY_IMPORT_ADAPTERS))
    ]
    assert not offenders, listed(offenders)


def test_our_own_modules_are_imported_at_the_top() -> None:
    offenders = [
        f"{module.where}:{found.line}: {found.inside} imports {found.name}"
        for module in library()
        if not within(module.name, MAY_IMPORT_LATE)
        for found in module.imports
        if found.inside and within(found.name, ("ramet",))
    ]
    assert not offenders, listed(offenders)


def test_what_reads_the_model_never_imports_the_running_system() -> None:
    imported = {module.name: [found.name for found in module.imports] for module in library()}
    offenders = []
    for start in (name for name in imported if within(name, NEVER_THE_RUNNING_SYSTEM)):
        seen, ahead = {start}, [start]
        while ahead:
            name = ahead.pop()
            for found in imported[name]:
                target = found if found in imported else found.rpartition(".")[0]
                if within(target, ("ramet.runtime",)):
                    offenders.append(f"{start} reaches {target} through {name}")
                elif target in imported and target not in seen:
                    seen.add(target)
                    ahead.append(target)
    assert not offenders, listed(offenders)


def _name(node: ast.AST) -> str:
    return ast.unparse(node)
