"""What else a customer may like: written in another language, and called through its contract."""
