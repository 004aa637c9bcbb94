"""What an application is: inert, serialisable values."""
