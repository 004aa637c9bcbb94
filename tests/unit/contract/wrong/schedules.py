#: 17: StockService.tidy has a wrong schedule: "daily" is neither a duration such as "10m" nor cron text such as "0 3 * * *" (minute, hour, day of the month, month, day of the week).
#: 19: StockService.count has a wrong schedule: "0 25 * * *" in the time zone "UTC" cannot be understood: Bad hour.
#: 21: StockService.order has a wrong schedule: "Mars/Phobos" is not a time zone; write one such as "Europe/Zurich".
#: 24: StockService.check takes parameters, but the clock gives none. Write `async def check(self)`.
#: 25: StockService.sweep has a wrong timeout: "never" is not a duration: write "150ms", "10s", "5m", "2h", "1d" or "1h30m".
#: 26: StockService.sweep is not async. Write `async def sweep(self)`.
"""A schedule is a duration or cron text, in a time zone there is, and takes nothing."""

from __future__ import annotations
from ramet import Contract, every


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @every("daily")
    async def tidy(self) -> None: ...
    @every("0 25 * * *")
    async def count(self) -> None: ...
    @every("0 3 * * *", zone="Mars/Phobos")
    async def order(self) -> None: ...
    @every("10m")
    async def check(self, sku: str) -> None: ...
    @every("10m", timeout="never")
    def sweep(self) -> None: ...
