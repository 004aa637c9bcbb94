"""What is for sale: products and search."""
