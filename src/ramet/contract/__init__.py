"""How Python says what an application is: declarations, and everything read from them."""
