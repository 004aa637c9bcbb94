"""Long lists in pages: what was asked for, and what is given, with the cursor of the next page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ramet.contract.struct import Struct
from ramet.errors import InvalidArguments

T = TypeVar("T")


class Page(Struct):
    """The page that was asked for: the query parameters `limit` and `cursor`.

    >>> page = Page(limit=2)
    >>> page.of(["a", "b", "c"], key=str.upper)
    Paged(items=('a', 'b'), next='IkIi')

    Select `page.limit + 1` rows that come after `page.after(str)`, and let `of` make the answer.
    """

    limit: int
    cursor: str | None = None

    def after(self, kind: type[T]) -> T | None:
        """The key of the last item of the page before; None on the first page.

        Raises: InvalidArguments when the cursor was not made by this API.
        """
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            raise InvalidArguments("The cursor is not one that this API gave: begin again without it.") from None

    def of(self, items: Sequence[T], *, key: Callable[[T], Any]) -> Paged[T]:
        """A page of at most `limit` of the items, which tells where the next begins if there are more."""
        shown = tuple(items[: self.limit])
        more = len(items) > self.limit
        return Paged(items=shown, next=_cursor(key(shown[-1])) if more and shown else None)


def _cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


class Paged(Struct, Generic[T]):
    """A page of items; `next` is the cursor of the page after it, None on the last. A Link header says it too."""

    items: tuple[T, ...]
    next: str | None = None
