"""The supervisor: runs a deployment as process groups, keeps each replica alive, replaces them without a gap."""
