"""What every adapter of a port must pass; import the suite, subclass it, say how to connect."""
