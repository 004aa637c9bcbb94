#: 7: exit_while_it_is_imported cannot be imported: SystemExit: 3. Mend what this line does.
"""A script is not a module."""

from __future__ import annotations
import sys

sys.exit(3)
