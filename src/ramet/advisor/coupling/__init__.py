"""What couples the parts of a code base."""
