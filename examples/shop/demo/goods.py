"""A catalogue of three hundred products, the same every time."""

from __future__ import annotations

from itertools import product
from random import Random

from shop.catalog.contract import Product

KINDS = {
    "kitchen": "teapot, pepper mill, chopping board, kettle, lemon press, whisk, bread box, salad bowl, sieve, ladle",
    "garden": "watering can, trowel, bird bath, hammock, lantern, bee hotel, rake, flower pot, hose, wind chime",
    "office": "desk lamp, notebook, stapler, pen tray, globe, paper knife, bookend, calendar, inkwell, magnifier",
    "travel": "rucksack, map case, umbrella, thermos, compass, sun hat, phrase book, blanket, trunk, bicycle bell",
    "music": "metronome, tuning fork, music stand, ukulele, tambourine, kazoo, bow, drum, songbook, music box",
    "play": "chess set, kite, spinning top, yo-yo, puzzle, marbles, domino set, puppet, juggling balls, boomerang",
}
LOOKS = {
    "plain": "Does what it should, and nothing else.",
    "copper": "Gets more beautiful every year.",
    "oak": "From trees that had fallen by themselves.",
    "blue": "The blue of the hour before sunrise.",
    "folding": "Fits into a coat pocket, nearly.",
}


def products() -> tuple[Product, ...]:
    """Sixty things, in five looks each."""
    chance = Random(300)
    things = [(category, noun) for category, nouns in KINDS.items() for noun in nouns.split(", ")]
    return tuple(
        Product(
            sku=f"{category}-{noun}-{look}".replace(" ", "-"),
            name=f"{look} {noun}".capitalize(),
            description=text,
            category=category,
            price_cents=chance.randrange(5, 120) * 100 - 10,
            grams=chance.randrange(1, 30) * 100,
        )
        for (category, noun), (look, text) in product(things, LOOKS.items())
    )
