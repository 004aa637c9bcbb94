"""The adapter for PostgreSQL: each service in a schema and role of its own, units side by side, rows in groups."""
