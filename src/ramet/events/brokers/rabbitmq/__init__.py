"""The adapter for RabbitMQ: quorum queues for each consumer, in partitions by key, each read by one replica."""
