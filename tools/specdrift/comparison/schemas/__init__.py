"""Compares schemas: the walk through pairs of schemas, and one module for each group of keywords."""
