"""Public APIs: `Api`, and the decorators that make a method of it an operation.

Nothing is registered and nothing is checked here: a class only keeps what was written; routes.py reads and judges it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack

from ramet.contract.web.request import Request
from ramet.errors import Refusal
from ramet.telemetry.context import Caller

F = TypeVar("F", bound=Callable[..., Any])
Duration = str | float | timedelta
Security = dict[str, Any]

BEARER: Security = {"bearer": {"type": "http", "scheme": "bearer"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteMark:
    """What a decorator said of a method."""

    method: str
    path: str
    status: int | None = None
    tags: tuple[str, ...] = ()
    deadline: Duration | None = None
    max_body: int | str | None = None
    refuses: tuple[type[Refusal], ...] = ()
    example: Any = None
    hidden: bool = False


class RouteOptions(TypedDict, total=False):
    """What a decorator may say besides the path."""

    status: int
    """The status of a good answer: 200, or 204 when there is nothing to say."""
    tags: Sequence[str]
    """The groups in which the documentation shows the operation."""
    deadline: Duration
    """How long the request may take, 5 seconds unless said here; 504 after that."""
    max_body: int | str
    """The largest body, in bytes or as "10MB"; 413 above it. 1 MiB unless said here."""
    refuses: type[Refusal] | Sequence[type[Refusal]]
    """Refusals to document; those of a method need no mention to be answered."""
    example: Any
    """A body to show in the documentation."""
    hidden: bool
    """Leave the operation out of the documentation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteDeclaration:
    """One operation as it was written; types are not resolved."""

    mark: RouteMark
    name: str
    function: Callable[..., Any]
    doc: str

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.mark.method


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiDeclaration:
    """One public API as it was written."""

    cls: type[Api]
    name: str
    prefix: str
    version: str
    title: str
    doc: str
    security: Security
    routes: tuple[RouteDeclaration, ...]

    @property
    def authenticates(self) -> bool:
        """Whether the API says who its callers are."""
        return self.cls.authenticate is not Api.authenticate


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiLine:
    """What the class line of an API said."""

    prefix: str = ""
    version: str = "1.0.0"
    name: str | None = None
    title: str | None = None
    security: Security | None = None


class Api:
    """A public API: the operations in front of the contracts, with a version of its own.

    >>> class Shop(Api, prefix="/api", version="2.1.0"):
    ...     @get("/products/{sku}")
    ...     async def product(self, sku: str) -> str: ...
    >>> api_declaration(Shop).routes[0].mark.path
    '/products/{sku}'

    Annotations on the class are what it is given: contracts (as clients), `Settings`, the `Clock`.
    """

    __ramet_line__: ClassVar[ApiLine] = ApiLine()

    def __init_subclass__(
        cls,
        *,
        prefix: str = "",
        version: str = "1.0.0",
        name: str | None = None,
        title: str | None = None,
        security: Security | None = None,
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        cls.__ramet_line__ = ApiLine(prefix=prefix, version=version, name=name, title=title, security=security)

    async def startup(self) -> None:
        """Called before the API answers; the services it depends on have started."""

    async def shutdown(self) -> None:
        """Called when the API has answered its last request."""

    async def authenticate(self, request: Request) -> Caller | None:  # noqa: ARG002 - for those who override it
        """Who sends the request; None when it does not say.

        Operations with a parameter of type `Caller` answer 401 to nobody in particular. Raise `Unauthenticated` where
        the request names somebody in a way that cannot be trusted.
        """
        return None


def _route(method: str, path: str, options: RouteOptions) -> Callable[[F], F]:
    given: dict[str, Any] = dict(options)
    refuses, tags = given.pop("refuses", ()), tuple(given.pop("tags", ()))
    kinds = (refuses,) if isinstance(refuses, type) else tuple(refuses)
    mark = RouteMark(method=method, path=path, tags=tags, refuses=kinds, **given)

    def attach(function: F) -> F:
        marks = (*getattr(function, "__ramet_routes__", ()), mark)
        function.__ramet_routes__ = marks  # type: ignore[attr-defined]  # a function takes attributes; its type cannot say so
        return function

    return attach


def get(path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
    """Answer GET and HEAD at a path. The options are those of `RouteOptions`."""
    return _route("GET", path, options)


def post(path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
    """Answer POST at a path. The options are those of `RouteOptions`."""
    return _route("POST", path, options)


def put(path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
    """Answer PUT at a path. The options are those of `RouteOptions`."""
    return _route("PUT", path, options)


def patch(path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
    """Answer PATCH at a path. The options are those of `RouteOptions`."""
    return _route("PATCH", path, options)


def delete(path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
    """Answer DELETE at a path. The options are those of `RouteOptions`."""
    return _route("DELETE", path, options)


def api_declaration(cls: type[Api]) -> ApiDeclaration:
    """What a class says of itself, with the operations of its bases, in the order in which they were written."""
    line = cls.__ramet_line__
    return ApiDeclaration(
        cls=cls,
        name=line.name or kebab(cls.__name__),
        prefix=str(line.prefix).rstrip("/"),
        version=line.version,
        title=line.title or " ".join(_words(cls.__name__)),
        doc=_doc(cls),
        security=line.security if line.security is not None else BEARER,
        routes=tuple(_routes(cls)),
    )


def _routes(cls: type[Api]) -> Sequence[RouteDeclaration]:
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    found = []
    for name in names:
        function = getattr(cls, name)
        marks = getattr(function, "__ramet_routes__", ())
        found += [RouteDeclaration(mark=mark, name=name, function=function, doc=_doc(function)) for mark in marks]
    return found


def _doc(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+", name)


def kebab(name: str) -> str:
    """`OutOfStock` as `out-of-stock`."""
    return "-".join(word.lower() for word in _words(name))
