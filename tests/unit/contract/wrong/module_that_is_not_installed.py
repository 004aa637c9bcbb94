#: 5: module_that_is_not_installed imports "no_such_library_anywhere", which is not installed. Install it, or mend the import.
"""A library is missing."""

from __future__ import annotations
import no_such_library_anywhere
