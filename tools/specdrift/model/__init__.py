"""Represents what a document means: its nodes, and its schemas in normal form.

Reading order: `document.py` (a `Node` is a value and its location), `schema.py` (the normal form of
one level of a schema), `normal_form.py` (reads nodes into it).
"""
