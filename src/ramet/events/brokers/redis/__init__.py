"""The adapter for Redis: a stream for each partition of an application's events, read by position like a log."""
