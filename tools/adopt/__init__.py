"""Adds operations of the vendor's documents to the spec: `make adopt`."""
