"""Existing ASGI and WSGI applications beside the services, unchanged."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware

from ramet.contract.mounted import Mounted
from ramet.errors import ConfigurationError
from ramet.http.clients import ClientSource, Reach, current_reach
from ramet.http.lifespan import Lifespan
from ramet.tasks import Spawn

Asgi = Callable[[Any, Any, Any], Any]
WORKERS = 32


class MountedApplication:
    """One application at its prefix: loaded at the start, its lifespan forwarded, and given clients of contracts."""

    def __init__(self, mounted: Mounted, *, spawn: Spawn, clients: ClientSource) -> None:
        self.name = mounted.name
        self.prefix = mounted.prefix.rstrip("/")
        self._mounted = mounted
        self._spawn = spawn
        self._clients = clients
        self._app: Asgi | None = None
        self._bridge: WSGIMiddleware | None = None
        self._lifespan: Lifespan | None = None
        self._reach: Reach | None = None

    async def startup(self) -> None:
        """Load and start it. Raises: ConfigurationError that says what is wrong with it."""
        self._reach = Reach(source=self._clients, loop=asyncio.get_running_loop())
        token = current_reach.set(self._reach)
        try:
            app = load(self._mounted)
            if interface_of(self._mounted, app) == "wsgi":
                self._app = self._bridge = WSGIMiddleware(app, workers=WORKERS)
                return
            self._app = app
            self._lifespan = Lifespan(self.name, app, self._spawn)
            await self._lifespan.startup()
        finally:
            current_reach.reset(token)

    async def shutdown(self) -> None:
        """Stop it."""
        if self._lifespan is not None:
            await self._lifespan.shutdown()
        if self._bridge is not None:
            self._bridge.executor.shutdown(wait=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            raise ConfigurationError(f'The mounted application "{self.name}" has not been started.')
        inner = {**scope, "root_path": scope.get("root_path", "") + self.prefix}
        if self._lifespan is not None and self._lifespan.state:
            inner["state"] = {**scope.get("state", {}), **self._lifespan.state}
        token = current_reach.set(self._reach)
        try:
            await self._app(inner, receive, send)
        finally:
            current_reach.reset(token)


def load(mounted: Mounted) -> Any:
    """The application itself: `"package.module:name"`, or `"package.module:make()"` for a function that makes it."""
    if not isinstance(mounted.app, str):
        return mounted.app
    module_name, colon, path = mounted.app.partition(":")
    if not colon or not path:
        raise _wrong(mounted, 'it is written as "package.module:name"')
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise _wrong(mounted, f"{error} (looked in {Path.cwd()} and the installed packages)") from error
    except Exception as error:
        raise _wrong(mounted, f"{module_name} fails when it is imported: {type(error).__name__}: {error}") from error
    for name in path.removesuffix("()").split("."):
        if not hasattr(found, name):
            raise _wrong(mounted, f'{module_name} has no "{name}"')
        found = getattr(found, name)
    return found() if path.endswith("()") else found


def interface_of(mounted: Mounted, app: Any) -> str:
    """`"asgi"` or `"wsgi"`: as declared, or as the application's signature shows."""
    if mounted.interface in ("asgi", "wsgi"):
        return mounted.interface
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else getattr(app, "__call__", None)  # noqa: B004 - its signature is wanted
    if inspect.iscoroutinefunction(call):
        return "asgi"
    try:
        count = len([each for each in inspect.signature(app).parameters.values() if each.default is each.empty])
    except (TypeError, ValueError):
        count = 0
    if count not in (2, 3):
        raise _wrong(mounted, 'it looks neither like ASGI nor like WSGI: say interface="asgi" or interface="wsgi"')
    return "wsgi" if count == 2 else "asgi"


def _wrong(mounted: Mounted, why: str) -> ConfigurationError:
    return ConfigurationError(f'The mounted application "{mounted.name}" ({mounted.app}) cannot be used: {why}.')
