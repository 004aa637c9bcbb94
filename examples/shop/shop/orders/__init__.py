"""What customers buy: carts, checkout, tracking and history."""
