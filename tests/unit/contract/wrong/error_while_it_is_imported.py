#: 7: error_while_it_is_imported cannot be imported: KeyError: 'coffee'. Mend what this line does.
"""What a module raises is found, too."""

from __future__ import annotations

PRICES = {"tea": 5}
COFFEE = PRICES["coffee"]
