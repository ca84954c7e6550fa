"""Compares this client with other ways to call the API: `make compare`."""
