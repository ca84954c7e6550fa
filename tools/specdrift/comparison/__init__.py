"""Compares two OpenAPI documents; one module for each subject."""
