"""What tests leave behind in brokers, removed."""
