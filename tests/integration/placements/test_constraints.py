"""What a contract declares of its values holds wherever its service is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from msgspec import Meta
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from ramet import Application, Contract, Database, Event, Refusal, Struct, calling, command, on, query
from ramet.errors import CallError, InternalError, InvalidArguments
from ramet.testing import running

PLACEMENTS = ("together", "strict", "apart")
Copies = Annotated[int, Meta(ge=1)]
Isbn = Annotated[str, Meta(pattern=r"^\d{3}$")]
metadata, heard_metadata = MetaData(), MetaData()
books = Table("books", metadata, Column("id", Integer, primary_key=True), Column("copies", Integer))
gifts = Table("gifts", heard_metadata, Column("id", Integer, primary_key=True), Column("copies", Integer))


class Book(Struct):
    isbn: Isbn
    copies: Copies = 1


class Donated(Event):
    copies: Copies


class Library(Contract, version="1.0.0", publishes=(Donated,)):
    class Full(Refusal):
        shelves: Copies

    @command
    async def donate(self, title: str, copies: Copies) -> int: ...

    @command
    async def shelve(self, books: tuple[Book, ...]) -> int: ...

    @command(refuses=Full)
    async def refuse(self, shelves: int) -> None: ...

    @command
    async def announce(self, copies: int) -> None: ...

    @query
    async def find(self, titles: Mapping[Isbn, str]) -> int: ...

    @query
    async def copies(self, named: int) -> Copies: ...

    @query
    async def donated(self) -> int: ...


class LibraryService(Library, tables=metadata):
    db: Database

    async def donate(self, title, copies):
        await self.db.execute(insert(books).values(copies=copies))
        return copies

    async def shelve(self, books):
        return len(books)

    async def refuse(self, shelves):
        raise self.Full(shelves=shelves)

    async def announce(self, copies):
        await self.db.execute(insert(books).values(copies=copies))
        await self.publish(Donated(copies=copies))

    async def find(self, titles):
        return len(titles)

    async def copies(self, named):
        return named

    async def donated(self):
        return await self.db.scalar(select(func.count()).select_from(books)) or 0


class Readers(Contract, version="1.0.0"):
    @query
    async def ask(self, isbn: str) -> int: ...

    @query
    async def gifts(self) -> int: ...


class ReadersService(Readers, tables=heard_metadata):
    db: Database
    library: Library

    async def ask(self, isbn):
        return await self.library.find({isbn: "Emma"})

    async def gifts(self):
        return await self.db.scalar(select(func.count()).select_from(gifts)) or 0

    @on(Donated)
    async def thank(self, event: Donated) -> None:
        await self.db.execute(insert(gifts).values(copies=event.copies))


LIBRARY = Application("library", services=[LibraryService, ReadersService])


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_arguments_that_break_a_rule_are_refused_before_anything_happens(placement: Any) -> None:
    async with running(LIBRARY, placement=placement) as app:
        library = app.client(Library)
        with pytest.raises(InvalidArguments) as caught:
            await library.donate("Emma", copies=0)
        assert str(caught.value) == 'donate: the argument "copies": Expected `int` >= 1.'
        with pytest.raises(InvalidArguments) as caught:
            async with calling(key="twice"):
                await library.donate("Emma", copies=0)
        assert str(caught.value) == 'donate: the argument "copies": Expected `int` >= 1.'
        with pytest.raises(InvalidArguments) as caught:
            await library.shelve((Book(isbn="123"), Book(isbn="none")))
        sentence = r"""shelve: the argument "books": Expected `str` matching regex '^\\d{3}$' - at `$[1].isbn`."""
        assert str(caught.value) == sentence
        with pytest.raises(InvalidArguments, match=r'find: the argument "titles": .* - at `key` in `\$`\.$'):
            await library.find({"none": "Emma"})
        assert await library.donated() == 0
        assert await library.donate("Emma", copies=1) == 1
        assert await library.shelve((Book(isbn="123"),)) == 1
        assert await library.donated() == 1


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_a_service_that_breaks_the_rule_of_another_is_told_so(placement: Any) -> None:
    async with running(LIBRARY, placement=placement) as app:
        assert await app.client(Readers).ask("123") == 1
        with pytest.raises(InvalidArguments, match='the argument "titles"'):
            await app.client(Readers).ask("none")


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_an_answer_that_breaks_a_rule_does_not_arrive(placement: Any) -> None:
    async with running(LIBRARY, placement=placement) as app:
        library = app.client(Library)
        assert await library.copies(1) == 1
        with pytest.raises(CallError, match=r"^copies answered what does not fit its contract: Expected `int` >= 1"):
            await library.copies(0)
        with pytest.raises(Library.Full):
            await library.refuse(1)
        with pytest.raises(CallError, match=r"^refuse refused with a Full that cannot be read: Expected `int` >= 1"):
            await library.refuse(0)


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_an_event_that_breaks_a_rule_is_not_published(placement: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with running(LIBRARY, placement=placement) as app:
        library = app.client(Library)
        await library.announce(2)
        await app.eventually(app.client(Readers).gifts)
        with caplog.at_level(logging.CRITICAL, "ramet.calls"), pytest.raises(InternalError):
            await library.announce(0)
        assert await library.donated() == 1
        assert await app.published(Donated) == [Donated(copies=2)]
