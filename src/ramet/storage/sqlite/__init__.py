"""The adapter for SQLite: a service's database in one file, one writer with group commit, readers beside it."""
