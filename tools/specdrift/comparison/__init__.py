"""Compares two documents in the model and lists the changes."""
