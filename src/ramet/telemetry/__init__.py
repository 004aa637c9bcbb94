"""What it reports, and what travels with every piece of work."""
