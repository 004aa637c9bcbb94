"""What the shop knows of the recommendations, which are written in another language."""

from __future__ import annotations

from ramet import Contract, Refusal, Struct, query


class Recommended(Struct):
    sku: str
    name: str


class Recommendations(Contract, version="1.0.0"):
    """Knows what else a customer may like."""

    class UnknownProduct(Refusal, status=404):
        """Nothing is known of {sku}."""

        sku: str

    @query(refuses=UnknownProduct)
    async def similar(self, sku: str, limit: int = 4) -> tuple[Recommended, ...]:
        """Products that are like this one, the best first."""
        ...
