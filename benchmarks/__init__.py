"""Ramet beside its peers, measured in one run: rounds are interleaved, so that a busy machine is unfair to nobody."""
