"""Reads the media type of a request from the generated code, because a contract has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .copies import Copy
from .model import UpgradeChange

API_FOLDER = Path("_generated", "api")
HEADER = "Content-Type"


def media_type_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes of the media type that a request has.

    A copy whose code sets no media type has no change. Then it has no body either, or its code
    cannot be read. Both have changes of their own.
    """
    base_operations = base.contract["operations"]
    for key, operation in revision.contract["operations"].items():
        if key not in base_operations:
            continue
        base_types = request_media_types(base.folder, base_operations[key])
        revision_types = request_media_types(revision.folder, operation)
        if not base_types or not revision_types or base_types == revision_types:
            continue
        yield UpgradeChange(
            # As in specdrift: a server that expects the earlier type rejects the request.
            level="ERR",
            subject="spec",
            place=f"{operation['method']} {operation['path']}",
            text=(
                f"The media type of the request was {', '.join(base_types)},"
                f" and is now {', '.join(revision_types)}."
            ),
            id="request-body-media-type-changed",
            location=content_pointer(operation),
        )


def content_pointer(operation: dict[str, Any]) -> str:
    """The place of the media types of a request in the spec; empty if a contract has none."""
    if "pointer" not in operation:
        return ""
    return f"{operation['pointer']}/requestBody/content"


def request_media_types(copy: Path, operation: dict[str, Any]) -> list[str]:
    """The media types that the generated code of an operation sends; empty if it sets none.

    Args:
        copy: the folder of a copy.
        operation: an operation of its contract.
    """
    # The generator writes `_generated/api/TAG/NAME.py` for the method `TAG.NAME`.
    tag, _, name = str(operation["python"]).partition(".")
    file = copy / API_FOLDER / tag / f"{name}.py"
    try:
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        # The comparison of Python names reports invalid code.
        return []
    return sorted({value for node in ast.walk(module) for value in assigned_media_type(node)})


def assigned_media_type(node: ast.AST) -> Iterator[str]:
    """The text in a statement `headers["Content-Type"] = "…"`; nothing in another node."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return
    for target in node.targets:
        if isinstance(target, ast.Subscript) and is_header(target.slice):
            yield str(node.value.value)


def is_header(key: ast.expr) -> bool:
    """Whether the key of a mapping is the header with the media type."""
    return isinstance(key, ast.Constant) and key.value == HEADER
