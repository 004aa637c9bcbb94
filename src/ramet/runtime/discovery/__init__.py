"""Where the replicas of other process groups are: one port, told by the supervisor, by the configuration, or by DNS."""
