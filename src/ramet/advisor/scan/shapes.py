"""Pure: classes that may be tables: Django models, SQLAlchemy, SQLModel; and tables that are assigned."""

from __future__ import annotations

import ast

from ramet.advisor.scan.leaf import Link, Shape
from ramet.advisor.scan.names import Scopes, argument, dotted, keyword, text, whole

FIELDS = ("ForeignKey", "OneToOneField", "ManyToManyField", "ParentalKey")


def class_shape(node: ast.ClassDef, scopes: Scopes) -> Shape | None:
    """What a class would be as a table; None for a class without bases, which cannot be one."""
    bases = tuple(base for one in node.bases if (base := _base(one, scopes)))
    if not bases:
        return None
    plain = _constants(node.body)
    meta = _meta(node)
    return Shape(
        name=node.name,
        line=node.lineno,
        bases=bases,
        table=_in_schema(plain.get("__tablename__", ""), _schema(node.body)) or meta.get("db_table", ""),
        label=meta.get("app_label", ""),
        abstract=meta.get("abstract", "") == "True" or plain.get("__abstract__", "") == "True",
        proxy=meta.get("proxy", "") == "True",
        mapped="__tablename__" in plain or "__table__" in plain or _says_table(node),
        links=tuple(link for statement in node.body for link in _links(statement, scopes)),
    )


def assigned_shape(node: ast.Assign, scopes: Scopes) -> Shape | None:
    """`orders = Table("orders", metadata, …)`."""
    call = node.value
    if not (isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] == "Table"):
        return None
    name, target = text(argument(call, 0, "name")), node.targets[0]
    if not (name and isinstance(target, ast.Name) and scopes.resolve(call.func).startswith("sqlalchemy")):
        return None
    return Shape(
        name=target.id,
        line=node.lineno,
        bases=("sqlalchemy.Table",),
        table=_in_schema(name, text(keyword(call, "schema"))),
        label="",
        abstract=False,
        proxy=False,
        mapped=True,
        links=tuple(_foreign_keys(call)),
    )


def _in_schema(table: str, schema: str) -> str:
    """Two schemas may have tables of one name."""
    return f"{schema}.{table}" if table and schema else table


def _schema(body: list[ast.stmt]) -> str:
    """Of `__table_args__ = (…, {"schema": "sales"})`, or the dictionary alone."""
    for statement in body:
        names = [dotted(one) for one in statement.targets] if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.Assign) and "__table_args__" in names:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Dict):
                    pairs = zip(node.keys, node.values, strict=True)
                    return next((text(value) for key, value in pairs if key is not None and text(key) == "schema"), "")
    return ""


def _base(node: ast.expr, scopes: Scopes) -> str:
    if isinstance(node, ast.Subscript):  # Generic[…], and models that are generic
        node = node.value
    if isinstance(node, ast.Call):  # declarative_base(), with_metaclass(Meta, Base)
        node = node.args[-1] if node.args else node.func
    return scopes.resolve(node) or dotted(node)


def _constants(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                value = statement.value
                found[target.id] = whole(str(value.value)) if isinstance(value, ast.Constant) else ""
    return found


def _meta(node: ast.ClassDef) -> dict[str, str]:
    inner = next((one for one in node.body if isinstance(one, ast.ClassDef) and one.name == "Meta"), None)
    return _constants(inner.body) if inner else {}


def _says_table(node: ast.ClassDef) -> bool:
    return any(
        one.arg == "table" and isinstance(one.value, ast.Constant) and one.value.value is True for one in node.keywords
    )


def _links(statement: ast.stmt, scopes: Scopes) -> list[Link]:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if not isinstance(value, ast.Call):
        return []
    if not dotted(value.func).endswith(FIELDS):
        return _foreign_keys(value)
    target = argument(value, 0, "to")
    name = text(target)
    if name:
        return [Link(name, value.lineno, quoted=True)]
    resolved = scopes.resolve(target) or dotted(target)
    return [Link(resolved, value.lineno, quoted=False)] if resolved else []


def _foreign_keys(call: ast.Call) -> list[Link]:
    """`ForeignKey("table.column")` anywhere in a column, and SQLModel's `Field(foreign_key=…)`."""
    found = []
    for node in ast.walk(call):
        if isinstance(node, ast.Call):
            direct = dotted(node.func).endswith("ForeignKey")
            target = argument(node, 0, "column") if direct else keyword(node, "foreign_key")
            if name := text(target):
                found.append(Link(name, node.lineno, quoted=True))
            elif direct and (name := dotted(target)):
                found.append(Link(name.rpartition(".")[0], node.lineno, quoted=False))
    return found
