"""The socket where replicas register and beat, and hear at once of every change of the endpoints they watch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from ramet.runtime.discovery.messages import (
    LONGEST_LINE,
    Beat,
    Endpoints,
    Heard,
    Hello,
    Leaving,
    Ready,
    Registered,
    Watch,
    decode_told,
    line,
)
from ramet.runtime.operators.requests import Counts
from ramet.transport.base import Endpoint

MOST_UNSENT = 16 * 1024 * 1024

log = logging.getLogger("ramet.supervisor")


class Resident(Protocol):
    """Who hears what a replica says."""

    def connected(self, link: Link) -> None:
        """It has come, or come again."""

    def registered(self, endpoint: Endpoint) -> None:
        """It will answer here."""

    def is_ready(self) -> None:
        """It answers."""

    def beat(self, counts: Counts | None) -> None:
        """It is alive, and has counted this, where that is news."""

    def leaving(self) -> None:
        """It ends by itself."""


class Link:
    """The connection of one replica, which hears of the groups that it has `watched`."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.watched: set[str] = set()

    def tell(self, message: Heard) -> None:
        """Send it at once. A replica that has not read for long is not given more: it asks anew when it comes again."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            self._writer.transport.abort()
            return
        self._writer.write(line(message))


class Hub:
    """Knows the ready endpoints of every group. `find` gives, for a greeting, who hears that replica; None: nobody."""

    def __init__(self, path: Path, find: Callable[[Hello], Resident | None]) -> None:
        self._path = path
        self._find = find
        self._links: set[Link] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.endpoints: dict[str, tuple[Endpoint, ...] | None] = {}

    async def start(self) -> None:
        """Listen; the folder belongs to the supervisor's user alone."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST_LINE)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Listen no more, and hang up."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.close()
            self._path.unlink(missing_ok=True)

    def publish(self, groups: Mapping[str, tuple[Endpoint, ...] | None]) -> None:
        """Tell every replica what has changed of the groups that it watches; None: nobody is about to come."""
        changed = {name: found for name, found in groups.items() if self.endpoints.get(name, ()) != found}
        self.endpoints.update(changed)
        for link in self._links:
            if heard := link.watched & changed.keys():
                link.tell(Endpoints(groups={name: changed[name] for name in heard}))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer)
        self._writers.add(writer)
        try:
            resident = self._greet(await reader.readline(), link)
            while resident is not None and (told := await reader.readline()):
                self._hear(told, link, resident)
        except OSError:
            pass  # it has ended, which its process tells
        except (ValueError, msgspec.DecodeError) as error:
            log.warning("A replica was hung up on, because it said what cannot be understood: %s", error)
        finally:
            self._links.discard(link)
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _greet(self, told: bytes, link: Link) -> Resident | None:
        hello = decode_told(told) if told else None
        resident = self._find(hello) if isinstance(hello, Hello) else None
        if isinstance(hello, Hello) and resident is not None:
            self._links.add(link)
            self._watch(link, *hello.watched)
            resident.connected(link)
        return resident

    def _watch(self, link: Link, *groups: str) -> None:
        link.watched.update(groups)
        link.tell(Endpoints(groups={name: self.endpoints.get(name, ()) for name in groups}))

    def _hear(self, told: bytes, link: Link, resident: Resident) -> None:
        match decode_told(told):
            case Watch(group=group):
                self._watch(link, group)
            case Registered(endpoint=endpoint):
                resident.registered(endpoint)
            case Ready():
                resident.is_ready()
            case Beat(counts=counts):
                resident.beat(counts)
            case Leaving():
                resident.leaving()
            case _:  # a second hello, or something of a later release
                pass
