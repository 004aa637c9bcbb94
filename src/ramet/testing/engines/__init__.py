"""Real servers for tests, chaos and first steps, started on loopback."""
