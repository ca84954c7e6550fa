"""Represents what a document means: its nodes, and its schemas in normal form."""
