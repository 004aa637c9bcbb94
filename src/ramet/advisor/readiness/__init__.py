"""Whether a team, with this code, is ready for services."""
