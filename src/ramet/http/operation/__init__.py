"""One operation of an API at work: from the request to the answer."""
