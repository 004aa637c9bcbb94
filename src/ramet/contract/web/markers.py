"""Where a parameter of an `Api`'s method is taken from, written in its `Annotated`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """`Annotated[str, Header("X-Shop")]`: taken from a header; without a name, that of the parameter with hyphens."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """`Annotated[int, Query(alias="from")]`: taken from the query string, under another name than the parameter's."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """`Annotated[str, Cookie("session")]`: taken from a cookie."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """`Annotated[str, Form()]`: taken from a form field, URL-encoded or multipart."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """`Annotated[int, Body()]`: the whole JSON body, where the type alone would mean a query parameter."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`Annotated[Page, Limits(default=20, maximum=100)]`: how many items a page has."""

    default: int = 50
    maximum: int = 200
