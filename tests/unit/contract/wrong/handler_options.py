#: 19: StockService.take has a wrong backoff: "soon" is not a duration: write "150ms", "10s", "5m", "2h", "1d" or "1h30m".
#: 19: StockService.take has the timeout 0. Write timeout="30s", for instance.
#: 19: StockService.take is to be attempted 0 times. Write attempts=1 or more.
#: 19: StockService.take starts from 'yesterday'. Write start="now" or start="retained".
"""What a handler says besides its event fits, too."""

from __future__ import annotations
from ramet import Contract, Event, on


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @on(Sold, start="yesterday", attempts=0, backoff="soon", timeout=0)
    async def take(self, event: Sold) -> None: ...
