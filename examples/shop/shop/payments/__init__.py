"""The customers' money: authorise, capture, refund, billing history."""
