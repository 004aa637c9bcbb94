"""Reading a folder of Python files without importing them: first each file by itself, then what their names mean together."""
