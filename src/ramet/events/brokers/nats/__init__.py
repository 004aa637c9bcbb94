"""The adapter for NATS JetStream: one stream for an application's events, read by position like a log."""
