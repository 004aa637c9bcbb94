"""Google's Online Boutique on Ramet, on gRPC and on FastAPI: one logic, three ways of calling."""
