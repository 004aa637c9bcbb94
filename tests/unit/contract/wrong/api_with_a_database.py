#: 10: The API Shop asks for a database. It answers through contracts: ask the service that owns the data.
#: 12: Shop has an __init__, but the runtime makes its instance. Annotate what it needs, and prepare the rest in `async def startup(self)`.
"""An API answers through contracts, and is made by the runtime."""

from __future__ import annotations
from ramet import Api, Database, get


class Shop(Api, prefix="/api"):
    db: Database

    def __init__(self) -> None: ...
    @get("/")
    async def index(self) -> str:
        return ""
