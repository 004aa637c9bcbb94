"""The public API: routes, binding, OpenAPI, the server, and mounted ASGI and WSGI applications."""
