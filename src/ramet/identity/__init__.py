"""Who may do what: tokens, grants derived from the declared dependencies, certificates."""
