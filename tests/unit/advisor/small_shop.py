"""A small shop as facts: orders, stock and pages, with one import, one table and one transaction across."""

from __future__ import annotations

from ramet.advisor.facts import Access, Commit, Edge, Facts, Kind, Module, Owner, Place, Table, Topic

WORDS = {
    "orders": {"order": 9, "customer": 4, "total": 3, "placed": 2},
    "stock": {"shelf": 7, "reserve": 5, "warehouse": 4, "counted": 2},
    "pages": {"page": 8, "banner": 5, "teaser": 3, "heading": 2},
}
FILES = ("models", "views", "rules", "totals", "tasks")


def module(path: str, role: str = "", words: dict[str, int] | None = None) -> Module:
    """A module of 100 lines."""
    return Module(path=path, name=path, lines=100, role=role, complexity=10, words=words or {})


def link(source: str, target: str, kind: Kind = Kind.IMPORT, names: tuple[str, ...] = (), count: int = 1) -> Edge:
    """A dependency on line 3."""
    return Edge(source=source, target=target, kind=kind, lines=(3,), names=names, count=count)


def commit(number: int, *files: str, author: str = "ann", subject: str = "", merge: bool = False) -> Commit:
    """A commit of these files."""
    return Commit(id=str(number), at=1e9 - number, author=author, files=files, subject=subject, merge=merge)


def shop() -> Facts:
    """Three applications of five modules; orders and stock have something in common, pages keep to themselves."""
    modules, edges, commits = [], [], []
    for name, words in WORDS.items():
        paths = [f"shop/{name}/{file}.py" for file in FILES]
        modules += [module(path, path.split("/")[2][:-3] if "rules" not in path else "", words) for path in paths]
        edges += [link(path, paths[0], names=("Model",)) for path in paths[1:]]
        edges += [link(paths[1], path) for path in paths[2:]]
        commits += [
            commit(
                100 + len(commits), paths[number % 5], paths[(number + 1) % 5], author=name, subject=f"{name} {words}"
            )
            for number in range(20)
        ]
    edges.append(link("shop/orders/rules.py", "shop/stock/rules.py", names=("reserve",)))
    commits.append(commit(1, "shop/orders/rules.py", "shop/stock/rules.py", author="bob"))
    place = "shop/orders/rules.py"
    return Facts(
        root="shop",
        modules=tuple(sorted(modules, key=lambda one: one.path)),
        edges=tuple(sorted(edges, key=lambda one: (one.source, one.target))),
        commits=tuple(commits),
        tables=(_table("orders"), _table("stock")),
        accesses=(
            Access(path=place, line=10, table="stock", writes=False, transaction="place"),
            Access(path=place, line=11, table="stock", writes=True, transaction="place"),
            Access(path=place, line=14, table="orders", writes=True, transaction="place"),
            Access(path="shop/stock/views.py", line=5, table="stock", writes=True),
        ),
        topics=(Topic(place=Place(path="shop/stock/tasks.py", line=8), name="recount", sends=False, system="celery"),),
        owners=(Owner(pattern="*", owners=("@all",)), Owner(pattern="/shop/stock/", owners=("@stock",))),
    )


def _table(name: str) -> Table:
    return Table(name=name, model=name.title(), place=Place(path=f"shop/{name}/models.py", line=1), framework="django")
