"""Measure the boundaries of `ramet advise` against the truth: application folders that were hidden, and real splits."""
