"""The adapters of the broker port: what stands between an outbox and the consumers."""
