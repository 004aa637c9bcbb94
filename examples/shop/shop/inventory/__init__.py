"""What is in stock: levels, and reservations that expire."""
