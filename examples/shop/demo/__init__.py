"""The shop at work: virtual customers, and a window onto what happens."""
