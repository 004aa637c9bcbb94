"""Pure: one pass over a file's syntax tree, which gathers everything the file says."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from ramet.advisor.facts import Kind
from ramet.advisor.scan import messages, queries, shapes, web
from ramet.advisor.scan.addresses import ROOTS, Addresses
from ramet.advisor.scan.leaf import Hand, Import, Text, Touch
from ramet.advisor.scan.names import Chain, Scopes, Thing, chain, definitions, dotted, text
from ramet.advisor.scan.tally import Tally

DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_]\w*)?")
SQL = re.compile(
    r"\s*(?:select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\()",
    re.IGNORECASE | re.DOTALL,
)
LONGEST_NAME = 150
LONGEST_SQL = 20_000
IMPORTERS = frozenset({"import_module", "try_import"})
SILENT_CALLS = frozenset({"getLogger", "get_logger", "get_task_logger"})
AFTERWARDS = frozenset({"on_commit"})  # what is given to it is called when the transaction is over
MODELS, CLASSES = frozenset({"get_model"}), frozenset({"get_class", "get_classes"})
BRANCHES = frozenset((
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.BoolOp,
    ast.comprehension, ast.match_case,
))  # fmt: skip
NOT_NODES = frozenset((
    "ctx", "op", "ops", "name", "id", "attr", "arg", "module", "level", "asname", "kind", "type_comment", "simple",
    "is_async", "conversion", "rest", "kwd_attrs", "cls",
))  # fmt: skip
FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a node that can hold nodes."""
    FIELDS[kind] = found = tuple(
        name for name in kind._fields if name not in NOT_NODES or (name == "cls" and kind is ast.MatchClass)
    )
    return found


class Visitor:
    """Walks the tree; `tally` is what it has found so far."""

    def __init__(self, tree: ast.Module) -> None:
        self.tally = Tally()
        self.defined = definitions(tree)
        self.scopes = Scopes({name: f":{name}" for name in self.defined})
        self.addresses = Addresses(self.scopes)
        self._function: list[str] = []
        self._transaction: list[str] = []
        self._inner: set[ast.Call] = set()
        self._parameters: dict[str, list[int]] = {}
        self._typing = 0
        self._systems: frozenset[str] = frozenset()
        self._handlers: dict[type[ast.AST], Callable[..., None]] = {
            ast.Name: self._name, ast.Attribute: self._attribute, ast.Constant: self._constant, ast.Call: self._call,
            ast.Import: self._import, ast.ImportFrom: self._import_from, ast.If: self._if,
            ast.FunctionDef: self._define, ast.AsyncFunctionDef: self._define, ast.ClassDef: self._class,
            ast.Assign: self._assign, ast.AnnAssign: self._annotated, ast.AugAssign: self._augmented,
            ast.For: self._for, ast.AsyncFor: self._for, ast.With: self._with, ast.AsyncWith: self._with,
            ast.Expr: self._expression, ast.arg: self._argument,
        }  # fmt: skip
        self._statements(tree.body)

    def _visit(self, node: ast.AST) -> None:
        kind = type(node)
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(node)
        else:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        kind = type(node)
        if kind in BRANCHES:
            self.tally.complexity += 1
        handlers = self._handlers
        for name in FIELDS.get(kind) or fields_of(kind):
            value = getattr(node, name, None)
            if isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.AST):
                        (handlers.get(one.__class__) or self._children)(one)
            elif isinstance(value, ast.AST):
                (handlers.get(value.__class__) or self._children)(value)

    def _statements(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._visit(statement)

    # Names and strings

    def _name(self, node: ast.Name) -> None:
        name = node.id
        self.tally.identifiers.append(name)
        if name in self._parameters:
            self._parameters[name][0] += 1

    def _attribute(self, node: ast.Attribute) -> None:
        self.tally.identifiers.append(node.attr)
        self._visit(node.value)

    def _argument(self, node: ast.arg) -> None:
        self.tally.identifiers.append(node.arg)
        if node.annotation is not None:
            self._visit(node.annotation)

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if not isinstance(value, str):
            return
        if len(value) <= LONGEST_NAME and "." in value and DOTTED.fullmatch(value):
            self.tally.texts.append(Text(value.replace(":", "."), node.lineno, "dotted"))
        elif 15 <= len(value) <= LONGEST_SQL and SQL.match(value):
            self.tally.sql.append((value, node.lineno, ".".join(self._function), self._open()))

    def _expression(self, node: ast.Expr) -> None:
        if node.value.__class__ is not ast.Constant:
            self._visit(node.value)

    def _open(self) -> str:
        return self._transaction[-1] if self._transaction else ""

    # Imports

    def _kind(self) -> Kind:
        return Kind.TYPING if self._typing else Kind.LAZY if self._function else Kind.IMPORT

    def _import(self, node: ast.Import) -> None:
        for one in node.names:
            bound = one.asname or one.name.partition(".")[0]
            self.scopes.bind(bound, one.name if one.asname else bound)
            names = (("", one.asname),) if one.asname else ()
            self.tally.imports.append(Import(one.name, names, node.lineno, self._kind()))
        self._libraries([one.name for one in node.names])

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        names = tuple((one.name, one.asname or one.name) for one in node.names)
        for name, bound in names:
            self.scopes.bind(bound, f"{module}{'' if module.endswith('.') else '.'}{name}")
        self.tally.imports.append(Import(module, names, node.lineno, self._kind()))
        self._libraries([module])

    def _libraries(self, modules: list[str]) -> None:
        self._systems |= messages.systems(set(modules))
        self.addresses.wanted |= any(one.partition(".")[0] in ROOTS for one in modules)

    def _if(self, node: ast.If) -> None:
        self.tally.complexity += 1
        self._visit(node.test)
        typing = dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING"
        self._typing += typing
        self._statements(node.body)
        self._typing -= typing
        self._statements(node.orelse)

    # Definitions

    def _enter(self) -> None:
        self.scopes.enter()
        self.addresses.enter()

    def _leave(self) -> None:
        self.scopes.leave()
        self.addresses.leave()

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        tally = self.tally
        tally.functions += 1
        tally.complexity += 1
        tally.identifiers.append(node.name)
        holds = self._decorators(node)
        self._function.append(node.name)
        name = ".".join(self._function)
        self._transaction.append(name if holds else self._open())
        before, marks = self._parameters, tally.marks()
        self._enter()
        self._bind_parameters(node)
        handed = len(tally.hands)
        self._visit(node.args)
        if node.returns is not None:
            self._visit(node.returns)
        self._statements(node.body)
        own = self._parameters
        tally.hands[handed:] = [
            one for one in tally.hands[handed:] if one.function != name or own[one.parameter][0] == 1
        ]
        self._parameters = before
        self._leave()
        self._transaction.pop()
        self._function.pop()
        tally.close(name, marks)

    def _decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        holds = False
        for one in node.decorator_list:
            holds = holds or queries.holds_transaction(one)
            if task := messages.task_of(one, ".".join((*self._function, node.name)), self.scopes):
                self.tally.notes.append(task)
            self.tally.notes.extend(messages.received(one, self.scopes))
            if isinstance(one, ast.Call):
                self.tally.webs.extend(web.decorated(one))
            self._visit(one)
        return holds

    def _bind_parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        outer = {name: uses for name, uses in self._parameters.items() if name not in {one.arg for one in listed}}
        self._parameters = {**outer, **{name: [0] for name in _required(arguments)}}
        for one in listed:
            self.scopes.bind(one.arg, "")
            self.addresses.hide(one.arg)
            if one.arg in {"self", "cls"} and (inside := self.scopes.thing("self")):
                self.scopes.hold(one.arg, inside)
                self.scopes.bind(one.arg, inside.name if one.arg == "cls" else "")
            elif thing := queries.annotated(one.annotation, self.scopes):
                self.scopes.hold(one.arg, thing)

    def _class(self, node: ast.ClassDef) -> None:
        self.tally.classes += 1
        self.tally.identifiers.append(node.name)
        for one in (*node.decorator_list, *node.bases, *node.keywords):
            self._visit(one)
        if shape := shapes.class_shape(node, self.scopes):
            self.tally.shapes.append(shape)
        self._function.append(node.name)
        self._enter()
        self.scopes.hold("self", Thing(f":{node.name}"))
        self.addresses.learn_attributes(node)
        self._statements(node.body)
        self._leave()
        self._function.pop()

    # Statements that give names to things

    def _assign(self, node: ast.Assign) -> None:
        if shape := shapes.assigned_shape(node, self.scopes):
            self.tally.shapes.append(shape)
        thing = queries.thing_of(node.value, self.scopes)
        meant = _called_for(node.value)
        for target in node.targets:
            first = (
                target.elts[0] if isinstance(target, ast.Tuple) and target.elts and thing and not thing.many else target
            )
            if isinstance(first, ast.Name):
                self._learn(first.id, thing, meant)
                self.addresses.learn(first.id, node.value if first is target else None)
            elif self.addresses.wanted and dotted(first).startswith("self."):
                self.addresses.learn_own(dotted(first), node.value)
        if any(isinstance(one, ast.Name) and one.id.endswith("_APPS") for one in node.targets):
            self._applications(node.value)
        self._children(node)

    def _learn(self, name: str, thing: Thing | None, meant: str) -> None:
        if meant:
            self.scopes.bind(name, meant)
        elif thing:
            self.scopes.hold(name, thing)
        elif self.scopes.thing(name):
            self.scopes.hold(name, Thing(""))

    def _applications(self, node: ast.expr) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.expr) and (name := text(one)) and name.isidentifier():
                self.tally.texts.append(Text(name, one.lineno, "app"))

    def _augmented(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id.endswith("_APPS"):
            self._applications(node.value)
        self._children(node)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and (thing := queries.annotated(node.annotation, self.scopes)):
            self.scopes.hold(node.target.id, thing)
        if isinstance(node.target, ast.Name):
            self.addresses.learn(node.target.id, node.value)
        self._children(node)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        thing = queries.thing_of(node.iter, self.scopes)
        if isinstance(node.target, ast.Name):
            self._learn(node.target.id, Thing(thing.name) if thing and thing.many else None, "")
        self._children(node)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        holds = False
        for item in node.items:
            self._visit(item.context_expr)
            holds = holds or queries.holds_transaction(item.context_expr)
            if isinstance(item.optional_vars, ast.Name):
                self.addresses.learn(item.optional_vars.id, item.context_expr)
                if thing := queries.thing_of(item.context_expr, self.scopes):
                    self.scopes.hold(item.optional_vars.id, thing)
        if holds:
            self._transaction.append(".".join(self._function) or f"line {node.lineno}")
        self._statements(node.body)
        if holds:
            self._transaction.pop()

    # Calls

    def _call(self, node: ast.Call) -> None:
        link = chain(node)
        last = ""
        if link is not None:
            last = link.names[-1] if link.names else link.root
            if node not in self._inner:
                self._inner.update(link.calls[1:])
                self._outermost(node, link)
            if len(link.calls) == 1 and link.plain == len(link.names):
                self._named(node, link)
        self._visit(node.func)
        if last in SILENT_CALLS:
            return
        if last in IMPORTERS and node.args and (name := text(node.args[0])) and not name.startswith("."):
            self.tally.imports.append(Import(name, (), node.lineno, Kind.STRING))
        if last in MODELS or last in CLASSES:
            self._looked_up(node, "model" if last in MODELS else "class")
        if last in AFTERWARDS:
            self._transaction.append("")
            self._arguments(node)
            self._transaction.pop()
        else:
            self._arguments(node)

    def _arguments(self, node: ast.Call) -> None:
        for one in node.args:
            self._visit(one)
        for pair in node.keywords:
            self._visit(pair.value)

    def _named(self, node: ast.Call, link: Chain) -> None:
        own = self.scopes.thing("self") if link.root == "self" and len(link.names) == 1 else None
        meaning = own.name if own else self.scopes.meaning(link.root)
        if not meaning:
            return
        name = ".".join((meaning, *link.names))
        if self._function:
            self.tally.ask(".".join(self._function), name, node.lineno, self._open())
        if not own:
            self._use(node, name)

    def _outermost(self, node: ast.Call, link: Chain) -> None:
        tally, scopes, opened = self.tally, self.scopes, self._open()
        function = ".".join(self._function)
        for found in queries.queries(node, link, scopes):
            tally.touches.append(Touch(found.name, node.lineno, found.writes, function, opened, found.sure))
        if link.names and link.names[-1] == "commit" and function:
            tally.committed.add(function)
        if node.args or node.keywords:
            tally.webs.extend(web.served(node, link, scopes))
            if made := web.requested(node, scopes, self.addresses):
                tally.webs.append(made)
        tally.notes.extend(messages.messages(node, link, scopes, self._systems))

    def _use(self, node: ast.Call, name: str) -> None:
        self.tally.use(name, node.lineno)
        if "kafka" in self._systems:
            self.tally.notes.extend(messages.consumers(node, name))
        if not self._parameters or name.startswith(":") or not queries.MANAGERS.isdisjoint(name.split(".")):
            return  # to look something up by a parameter is to use it
        function = ".".join(self._function)
        for one in (*node.args, *(pair.value for pair in node.keywords)):
            if isinstance(one, ast.Name) and one.id in self._parameters:
                self.tally.hands.append(Hand(function, one.id, name, node.lineno))

    def _looked_up(self, node: ast.Call, how: str) -> None:
        names = [text(one) for one in node.args[:2]]
        joined = ".".join(name for name in names if name)
        if joined and joined.replace(".", "_").isidentifier():
            self.tally.texts.append(Text(joined, node.lineno, how))


def _required(arguments: ast.arguments) -> list[str]:
    """The parameters that every caller gives."""
    plain = [*arguments.posonlyargs, *arguments.args]
    given = plain[: len(plain) - len(arguments.defaults)]
    named = [one for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return [one.arg for one in (*given, *named)]


def _called_for(node: ast.expr) -> str:
    """`get_model("app", "Model")` gives a model, `get_class("app.module", "Name")` a class, known by strings."""
    if not isinstance(node, ast.Call):
        return ""
    name = dotted(node.func).rpartition(".")[2]
    sign = "@" if name in MODELS else "~" if name == "get_class" else ""
    parts = [text(one) for one in node.args[:2]] if sign else []
    return sign + ".".join(parts) if parts and all(parts) else ""
