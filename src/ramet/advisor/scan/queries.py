"""Pure: calls that read or write a table, in the words of Django's and SQLAlchemy's interfaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from ramet.advisor.scan.names import Chain, Scopes, Thing, chain, dotted

MANAGERS = frozenset({"objects", "_default_manager", "_base_manager", "all_objects"})
WRITES = frozenset(
    name
    for plain in ("create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "update", "delete")
    for name in (plain, f"a{plain}")
)
QUERY_WRITES = WRITES | {"_raw_delete", "update_on_match", "soft_delete"}  # the last two as oslo.db has them
MANAGER_WRITES = re.compile(
    r"a?(add|create|new|insert|save|update|delete|remove|bulk|purge|record|store|cancel|mark|_raw_delete)($|_)"
)
"""Methods of managers that a project wrote itself, by what they are called."""
SAVES = frozenset({"save", "delete", "asave", "adelete"})
LOADS = frozenset({"refresh_from_db", "arefresh_from_db"})
ONE = frozenset(
    {"get", "create", "first", "last", "earliest", "latest", "aget", "acreate", "afirst", "alast", "one", "scalar_one"}
)
NUMBERS = frozenset(
    {"count", "exists", "aggregate", "acount", "aexists", "aaggregate", "scalar", "in_bulk", "iterator"}
)
STATEMENTS = {"select": False, "insert": True, "update": True, "delete": True}
SESSION_WRITES = frozenset({"add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings"})
SESSION = re.compile(r"(^|_)(session|db|uow)$", re.IGNORECASE)
TRANSACTIONS = re.compile(
    r"(^|_)(atomic|atomic_transaction|begin|begin_nested|commit_on_success|in_transaction|transaction|transactional"
    r"|unit_of_work|uow)$|(^|context_manager_)writer$"  # the last as oslo.db and nova have it
)


class Found(NamedTuple):
    """A name that is read or written."""

    name: str
    writes: bool
    sure: bool


def holds_transaction(node: ast.expr) -> bool:
    """`transaction.atomic()`, `session.begin()` and their relatives, as a decorator or in a `with`."""
    target = node.func if isinstance(node, ast.Call) else node
    return bool(TRANSACTIONS.search(dotted(target).rpartition(".")[2]))


def queries(call: ast.Call, link: Chain, scopes: Scopes) -> Iterator[Found]:
    """What a chain of calls reads or writes."""
    meaning = scopes.meaning(link.root)
    manager = next((at for at, name in enumerate(link.names) if name in MANAGERS), -1)
    held = scopes.thing(link.root)
    if manager >= 0:
        yield from _managed(link, manager, meaning, held)
    elif (held and (found := _held(link, held))) or (meaning and link.names and (found := _named(link, meaning))):
        yield found
    yield from _statements(call, link, scopes)


def _managed(link: Chain, manager: int, meaning: str, held: Thing | None) -> Iterator[Found]:
    operations = link.names[manager + 1 :]
    owner = meaning or (held.name if held and link.names[:manager] in ((), ("__class__",)) else "")
    if owner and operations and operations != ("none",):
        path = "" if not meaning else "".join(f".{name}" for name in link.names[:manager])
        yield Found(
            owner + path, writes=any(one in WRITES or MANAGER_WRITES.match(one) for one in operations), sure=True
        )


def _held(link: Chain, held: Thing) -> Found | None:
    last = link.names[-1] if link.names else ""
    if held.many:
        return (
            Found(held.name, writes=bool(QUERY_WRITES & set(link.names)), sure=False) if last and held.query else None
        )
    if len(link.names) == 1 and last in SAVES | LOADS:
        return Found(held.name, writes=last in SAVES, sure=False)
    return None


def _named(link: Chain, meaning: str) -> Found | None:
    first, last = link.names[0], link.names[-1]
    if link.plain == 0 and last in SAVES:  # Order(...).save()
        return Found(meaning, writes=True, sure=False)
    if first == "query" and len(link.names) > 1:  # Order.query.filter(...)
        return Found(meaning, writes=bool({"update", "delete"} & set(link.names)), sure=False)
    if first in STATEMENTS:  # orders.insert()
        return Found(meaning, writes=STATEMENTS[first], sure=False)
    return None


def _statements(call: ast.Call, link: Chain, scopes: Scopes) -> Iterator[Found]:
    for inner in link.calls or (call,):
        name = dotted(inner.func).rpartition(".")[2] or (
            inner.func.attr if isinstance(inner.func, ast.Attribute) else ""
        )
        if name in STATEMENTS and inner.args and _is_statement(inner, scopes):
            yield from _arguments(inner.args if name == "select" else inner.args[:1], scopes, writes=STATEMENTS[name])
        elif name in SESSION_WRITES | {"query", "get"} and _on_session(inner):
            yield from _session(inner, name, scopes, writes=bool(QUERY_WRITES & set(link.names)))


def _is_statement(call: ast.Call, scopes: Scopes) -> bool:
    meaning = scopes.resolve(call.func)
    return meaning.startswith(("sqlalchemy", "sqlmodel", "sqlalchemy.")) or dotted(call.func).startswith(("db.", "sa."))


def _on_session(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = call.func.value
    while isinstance(owner, ast.Call):
        owner = owner.func
    last = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return bool(SESSION.search(last))


def _session(call: ast.Call, name: str, scopes: Scopes, *, writes: bool) -> Iterator[Found]:
    if name == "query":
        yield from _arguments(call.args, scopes, writes=writes)
    elif name == "get":
        yield from _arguments(call.args[:1], scopes, writes=False)
    else:
        for argument_ in call.args[:1]:
            items = argument_.elts if isinstance(argument_, ast.List | ast.Tuple) else [argument_]
            for item in items:
                if thing := thing_of(item, scopes):
                    yield Found(thing.name, writes=True, sure=False)


def _arguments(nodes: list[ast.expr], scopes: Scopes, *, writes: bool) -> Iterator[Found]:
    for node in nodes:
        if name := scopes.resolve(node):
            yield Found(name, writes=writes, sure=False)


def thing_of(node: ast.expr, scopes: Scopes) -> Thing | None:
    """What the value of an expression is: an instance of a class, many of one, or unknown."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Name):
        return scopes.thing(node.id)
    link = chain_of(node)
    if link is None:
        return None
    meaning = scopes.meaning(link.root)
    manager = next((at for at, name in enumerate(link.names) if name in MANAGERS | {"query"}), -1)
    if manager >= 0 and meaning:
        path = "".join(f".{name}" for name in link.names[:manager])
        many = link.names[-1] not in ONE | WRITES | NUMBERS
        return Thing(meaning + path, many, query=many) if link.names[-1] not in NUMBERS else None
    held = scopes.thing(link.root)
    if held and held.many:
        last = link.names[-1] if link.names else ""
        return (
            None
            if last in NUMBERS | WRITES - ONE
            else Thing(held.name, many=last not in ONE, query=held.query and last not in ONE)
        )
    return _made(node, link, meaning, scopes)


def _made(node: ast.expr, link: Chain, meaning: str, scopes: Scopes) -> Thing | None:
    if isinstance(node, ast.Call) and meaning and link.plain == len(link.names) and len(link.calls) == 1:
        name = ".".join((meaning, *link.names))
        if name.lstrip(".:@~").rpartition(".")[2][:1].isupper():
            return Thing(name)
    if "query" in link.names and link.calls:
        first = link.calls[-1]
        if first.args and (name := scopes.resolve(first.args[0])):
            many = link.names[-1] not in ONE
            return None if link.names[-1] in NUMBERS else Thing(name, many, query=many)
    return None


def chain_of(node: ast.expr) -> Chain | None:
    """The chain of a call or attribute; None for everything else."""
    return chain(node) if isinstance(node, ast.Call | ast.Attribute | ast.Subscript) else None


def annotated(node: ast.expr | None, scopes: Scopes) -> Thing | None:
    """What an annotation says: `Order`, "Order", `Order | None`, `Optional[Order]`, `QuerySet[Order]`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _quoted(node.value, scopes)
    if isinstance(node, ast.BinOp):
        return annotated(node.left, scopes) or annotated(node.right, scopes)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        outer = dotted(node.value).rpartition(".")[2]
        thing = annotated(inner, scopes)
        return thing and Thing(
            thing.name, many=outer not in {"Optional", "Annotated", "Type", "type", "Final", "ClassVar"}
        )
    name = scopes.resolve(node)
    return Thing(name) if name else None


def _quoted(value: str, scopes: Scopes) -> Thing | None:
    if len(value) > 200:
        return None
    try:
        return annotated(ast.parse(value, mode="eval").body, scopes)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
