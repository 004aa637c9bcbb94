"""Reading other code: should it be split, where, and when."""
