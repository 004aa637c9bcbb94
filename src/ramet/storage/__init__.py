"""Where it remembers: a database for each service, units of work, migrations."""
