"""Checks the spec before generation, for everything that the generator accepts but gets wrong."""

from __future__ import annotations

from .document import Document
from .unsupported import check_supported
from .walk import all_references


def check_spec(document: Document) -> None:
    """Run every check on a loaded spec.

    Raises:
        SpecError: for the first problem, with file, line and JSON pointer.
    """
    check_references(document)
    check_operation_ids(document)
    check_tags(document)
    check_supported(document)


def check_references(document: Document) -> None:
    """Raise `SpecError` for the first reference that cannot be followed, used or not."""
    for reference in all_references(document.top):
        document.resolve(reference)


def check_operation_ids(document: Document) -> None:
    """Raise `SpecError` for a spec without operations and for an unusable operationId.

    The generator exits with status 0 for both, measured with openapi-python-client 0.29.1.
    It names a file after each operationId, so of two equal ones the second overwrites the first.
    """
    operations = list(document.operations())
    if not operations:
        raise document.error("/paths", "there is no operation in this spec: nothing to generate")
    labels: dict[str, str] = {}
    for operation in operations:
        node = operation.node.child("operationId")
        # Without an operationId the generator derives a name from method and path.
        if node.value is None:
            continue
        if not isinstance(node.value, str) or not node.value.isprintable():
            raise document.error(node.pointer, "an operationId must be printable text")
        if node.value in labels:
            raise document.error(
                node.pointer,
                f"duplicate operationId {node.value!r}, already used by {labels[node.value]}",
            )
        labels[node.value] = operation.label


def check_tags(document: Document) -> None:
    """Raise `SpecError` for the second of two documented tags with one name.

    OpenAPI 3.1, "OpenAPI Object": the names must be unique. The second description would replace
    the first.
    """
    names: set[str] = set()
    for tag in document.top.child("tags").elements():
        name = tag.get("name")
        # Other values are no names. The generator does not use them.
        if not isinstance(name, str):
            continue
        if name in names:
            raise document.error(tag.pointer, f"duplicate tag {name!r}: remove one of them")
        names.add(name)
