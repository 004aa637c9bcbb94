"""Pure: HTTP routes that are served and requests that are made, in the words of the usual frameworks and clients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ramet.advisor.scan.addresses import CLIENTS, Addresses
from ramet.advisor.scan.leaf import Web
from ramet.advisor.scan.names import Chain, Scopes, argument, keyword, template, text

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
DECORATORS = METHODS | {"route", "api_route", "websocket"}
DJANGO = frozenset({"path", "re_path", "url"})
DJANGO_MODULES = ("django.urls.", "django.conf.urls.")
STARLETTE = frozenset({"Route", "WebSocketRoute", "APIRoute"})
STARLETTE_MODULES = ("starlette.", "fastapi.", "litestar.")
AIOHTTP_ADDS = frozenset({f"add_{name}" for name in METHODS} | {"add_route", "add_view"})
METHODS_OF_CLIENTS = METHODS | {"request", "stream", "urlopen", "ws_connect"}


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
    """Routes that are listed: Django's, DRF's routers, Flask's, Starlette's, aiohttp's."""
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
    elif last == "add_url_rule" and text(first).startswith("/"):
        for method in _methods(call):
            yield Web(method, text(first), call.lineno, serves=True)
    elif last in METHODS and meaning.startswith("aiohttp.web.") and text(first):
        yield Web(last.upper(), text(first), call.lineno, serves=True)


def requested(call: ast.Call, scopes: Scopes, addresses: Addresses) -> Web | None:
    """`requests.get(url)`, the `post(url)` of a session or of a client with a base address, `urlopen(url)`."""
    last = call.func.attr if isinstance(call.func, ast.Attribute) else scopes.resolve(call.func).rpartition(".")[2]
    if not addresses.wanted or last not in METHODS_OF_CLIENTS:
        return None
    meaning = scopes.resolve(call.func)
    client = addresses.client(call.func.value) if isinstance(call.func, ast.Attribute) else None
    if client is None and (not meaning.startswith(CLIENTS) or "aiohttp.web." in meaning):
        return None
    general = last in {"request", "stream"}
    target = addresses.target(client, argument(call, 1 if general else 0, "url"))
    if general:
        return Web(text(argument(call, 0, "method")).upper(), target, call.lineno, serves=False)
    return Web("" if last == "urlopen" else last.upper(), target, call.lineno, serves=False)


def _methods(call: ast.Call) -> tuple[str, ...]:
    listed = keyword(call, "methods")
    if isinstance(listed, ast.List | ast.Tuple | ast.Set):
        return tuple(name.upper() for one in listed.elts if (name := text(one))) or ("GET",)
    return ("GET",)
