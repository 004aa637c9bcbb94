#: 28: ShelfService.copies returns str, but its contract says int. Write `-> int`, or leave the type out.
#: 28: ShelfService.copies: the parameter "isbn" is int, but its contract says str. Write `isbn: str`, or leave the type out.
#: 29: ShelfService.title: the parameter "language" is str, but its contract says str | None. Write `language: str | None`, or leave the type out.
#: 31: ShelfService.books returns tuple[str, ...], but its contract says tuple[Book, ...]. Write `-> tuple[Book, ...]`, or leave the type out.
from ramet import Contract, Struct, query


class Book(Struct):
    isbn: str


class Shelf(Contract, version="1.0.0"):
    @query
    async def copies(self, isbn: str) -> int: ...

    @query
    async def title(self, isbn: str, language: str | None) -> str: ...

    @query
    async def books(self) -> tuple[Book, ...]: ...


class ShelfService(Shelf):
    """Each type is another one than the contract's."""

    # what is not annotated has the contract's types

    async def copies(self, isbn: int) -> str: ...
    async def title(self, isbn, language: str): ...

    async def books(self) -> tuple[str, ...]: ...
