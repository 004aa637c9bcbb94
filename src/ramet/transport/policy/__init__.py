"""Pure decisions about calls: whom to call, when again, when not, how many at a time."""
