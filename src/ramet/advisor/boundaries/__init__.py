"""Where a code base could be cut: graph, parts, candidates, their ranks."""
