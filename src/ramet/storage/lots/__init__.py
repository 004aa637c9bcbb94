"""Commands that have gathered, committed together: as if one had come after the other."""
