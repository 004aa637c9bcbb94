"""How facts travel: outbox and relay, brokers, consumers with their inbox, retries and dead letters."""
