"""What the past of a code base says: commits, owners, traffic, and what was read before."""
