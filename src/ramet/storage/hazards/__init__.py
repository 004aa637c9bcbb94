"""Which statements of a migration lock a table of PostgreSQL, or break the version that is still running."""
