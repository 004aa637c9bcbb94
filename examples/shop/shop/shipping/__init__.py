"""How the goods get to the customers: carriers, rates, shipments and tracking."""
