#: 12: OrdersService has tables but no database. Add the annotation `db: Database`.
"""Tables are somewhere."""

from __future__ import annotations
from sqlalchemy import MetaData
from ramet import Contract


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, tables=MetaData()): ...
