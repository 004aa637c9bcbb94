"""One connection of either side: its bytes, its calls or answers, its deadlines, and whether anybody is there."""
