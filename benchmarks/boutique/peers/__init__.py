"""The same shop on gRPC and on FastAPI: each service a process that is called by hand-written clients."""
