"""Reading Python files without importing them: first each by itself, then what their names mean together."""
