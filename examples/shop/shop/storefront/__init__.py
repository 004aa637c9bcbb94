"""The public API: what browsers, apps and partners use."""
