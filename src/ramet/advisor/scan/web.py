"""Pure: HTTP routes that are served and requests that are made, in the words of the usual frameworks and clients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ramet.advisor.scan.leaf import Web
from ramet.advisor.scan.names import Chain, Scopes, argument, keyword, template, text

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
DECORATORS = METHODS | {"route", "api_route", "websocket"}
DJANGO = frozenset({"path", "re_path", "url"})
DJANGO_MODULES = ("django.urls.", "django.conf.urls.")
STARLETTE = frozenset({"Route", "WebSocketRoute", "APIRoute"})
STARLETTE_MODULES = ("starlette.", "fastapi.", "litestar.")
AIOHTTP_ADDS = frozenset({f"add_{name}" for name in METHODS} | {"add_route", "add_view"})
CLIENTS = ("requests", "httpx", "aiohttp", "urllib3", "urllib.request", "niquests")
ROOTS = frozenset(name.partition(".")[0] for name in CLIENTS)


def decorated(call: ast.Call) -> Iterator[Web]:
    """`@app.get("/orders")`, `@blueprint.route("/orders", methods=["POST"])`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    path = text(argument(call, 0, "path")) or text(argument(call, 0, "rule"))
    empty = (
        bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == ""
    )  # of a router with a prefix
    if name in DECORATORS and (path.startswith("/") or empty):
        for method in _methods(call) if name in {"route", "api_route"} else (name.upper(),):
            yield Web(method, path, call.lineno, serves=True)


def served(call: ast.Call, link: Chain, scopes: Scopes) -> Iterator[Web]:
    """Routes that are listed: Django's, DRF's routers, Starlette's, aiohttp's."""
    last = link.names[-1] if link.names else link.root
    meaning = scopes.resolve(call.func)
    first = call.args[0] if call.args else None
    if last in DJANGO and meaning.startswith(DJANGO_MODULES) and first is not None:
        yield Web("", template(first), call.lineno, serves=True)
    elif last == "register" and link.root.lower().endswith("router") and len(call.args) > 1 and text(first):
        yield Web("", text(first), call.lineno, serves=True)
    elif last in STARLETTE and meaning.startswith(STARLETTE_MODULES) and text(first):
        for method in _methods(call):
            yield Web(method, text(first), call.lineno, serves=True)
    elif last in AIOHTTP_ADDS and "router" in (link.root, *link.names):
        where = 1 if last == "add_route" else 0
        path = text(call.args[where]) if len(call.args) > where else ""
        yield Web(last[4:].upper() if last[4:] in METHODS else "", path, call.lineno, serves=True)
    elif last in METHODS and meaning.startswith("aiohttp.web.") and text(first):
        yield Web(last.upper(), text(first), call.lineno, serves=True)


def requested(call: ast.Call, link: Chain, scopes: Scopes) -> Web | None:
    """`requests.get(url)`, a session's `post(url)`, `urlopen(url)`."""
    last = link.names[-1] if link.names else link.root
    if last not in METHODS | {"request", "stream", "urlopen"}:
        return None
    meaning = scopes.resolve(call.func)
    held = scopes.thing(link.root) if len(link.names) == 1 else None
    owner = meaning or (held.name if held else "")
    if owner.partition(".")[0] not in ROOTS or not owner.startswith(CLIENTS) or "aiohttp.web." in owner:
        return None
    if last in {"request", "stream"}:
        return Web(
            text(argument(call, 0, "method")).upper(), template(argument(call, 1, "url")), call.lineno, serves=False
        )
    method = "" if last == "urlopen" else last.upper()
    return Web(method, template(argument(call, 0, "url")), call.lineno, serves=False)


def _methods(call: ast.Call) -> tuple[str, ...]:
    listed = keyword(call, "methods")
    if isinstance(listed, ast.List | ast.Tuple | ast.Set):
        return tuple(name.upper() for one in listed.elts if (name := text(one))) or ("GET",)
    return ("GET",)
