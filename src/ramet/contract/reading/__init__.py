"""Reading what was declared: classes become `Declared` values, or a list of every mistake in them."""
