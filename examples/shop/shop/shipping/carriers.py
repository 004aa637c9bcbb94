"""The carriers: where they go, what they ask, how long they take."""

from __future__ import annotations

from ramet import Struct
from shop.shipping.contract import Rate

NEAR = frozenset({"AT", "CH", "DE", "FR", "IT", "LI"})


class Carrier(Struct):
    name: str
    base_cents: int
    cents_per_kilogram: int
    days: int
    countries: frozenset[str] | None = None
    """Everywhere, unless given."""

    def goes_to(self, country: str) -> bool:
        return self.countries is None or country in self.countries

    def rate(self, grams: int) -> Rate:
        kilograms = -(-grams // 1000)
        return Rate(carrier=self.name, cents=self.base_cents + kilograms * self.cents_per_kilogram, days=self.days)


CARRIERS = (
    Carrier(name="Pigeon Post", base_cents=490, cents_per_kilogram=90, days=3, countries=NEAR),
    Carrier(name="Night Train", base_cents=990, cents_per_kilogram=60, days=1, countries=NEAR),
    Carrier(name="Slow Boat", base_cents=1490, cents_per_kilogram=250, days=21),
)
