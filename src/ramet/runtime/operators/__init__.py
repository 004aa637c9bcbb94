"""How operators look after a deployment, running or not: status, sagas, dead letters, calls."""
