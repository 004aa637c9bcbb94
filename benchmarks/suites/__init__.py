"""What is measured: each module declares its measures, their peers and their targets."""
