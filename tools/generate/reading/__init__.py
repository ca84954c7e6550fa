"""Reads the spec: one document of OpenAPI 3.1, whatever files and older forms it is written in."""

from .load import load_document, read_document

__all__ = ["load_document", "read_document"]
