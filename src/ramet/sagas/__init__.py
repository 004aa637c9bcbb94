"""Work that must finish: definition, machine (pure), journal, engine."""
