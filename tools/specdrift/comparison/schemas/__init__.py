"""Compares schemas; one module for each group of keywords."""
