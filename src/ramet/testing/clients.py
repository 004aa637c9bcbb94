"""The HTTP clients of tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx import AsyncClient


async def in_this_process(app: Any, stack: AsyncExitStack) -> AsyncClient | None:
    """A client of an ASGI application, without a network between; None where httpx is not installed."""
    try:
        import httpx  # an optional library: tests without HTTP do without it
    except ImportError:
        return None
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))


async def over_the_network(prefixes: Mapping[str, str], stack: AsyncExitStack) -> AsyncClient | None:
    """A client that sends each request to whoever has the path: the longest of the `prefixes` that fits."""
    try:
        import httpx  # an optional library: tests without HTTP do without it
    except ImportError:
        return None

    async def find(request: httpx.Request) -> None:
        there = next((url for prefix, url in prefixes.items() if request.url.path.startswith(prefix)), None)
        if there is not None:
            place = httpx.URL(there)
            request.url = request.url.copy_with(scheme=place.scheme, host=place.host, port=place.port)

    first = next(iter(prefixes.values()), "http://test")
    client = httpx.AsyncClient(base_url=first, event_hooks={"request": [find]})
    return await stack.enter_async_context(client)
