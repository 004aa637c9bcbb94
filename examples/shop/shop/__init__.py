"""A shop of eight services: the reference application of Ramet."""
