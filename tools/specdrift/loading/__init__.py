"""Loads documents from files, git and the web, with the line of every value."""

from .composed import load_composed, matching_files
from .document import LoadedDocument, load, read_file
from .errors import ComparisonError
from .line_index import MAXIMUM_DEPTH, MAXIMUM_NODES
from .parsed_file import ParsedFile
from .references import ReferencedFiles
from .sources import MAXIMUM_BYTES, LocalFile, origin_of

__all__ = [
    "MAXIMUM_BYTES",
    "MAXIMUM_DEPTH",
    "MAXIMUM_NODES",
    "ComparisonError",
    "LoadedDocument",
    "LocalFile",
    "ParsedFile",
    "ReferencedFiles",
    "load",
    "load_composed",
    "matching_files",
    "origin_of",
    "read_file",
]
