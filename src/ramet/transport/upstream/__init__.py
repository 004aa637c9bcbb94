"""An upstream: a process group as its callers see it, with its replicas, attempts, retries and hedges."""
