"""The kill test: the shop is killed at random moments under load, and its books are compared afterwards."""
