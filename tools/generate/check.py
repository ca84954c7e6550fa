"""Checks the spec before the generator runs."""

from __future__ import annotations

from .document import Document


def check_operation_ids(document: Document) -> None:
    """Raise `SpecError` for an operationId that is used twice: the generator writes both into one file."""
    seen: dict[str, str] = {}
    for operation in document.operations():
        identifier = operation.node.get("operationId")
        if identifier is None:
            continue
        here = f"{operation.method.upper()} {operation.path}"
        if not isinstance(identifier, str) or not identifier.isprintable():
            raise document.error(
                f"{operation.place}/operationId", "an operationId must be printable text"
            )
        if identifier in seen:
            raise document.error(
                f"{operation.place}/operationId",
                f"duplicate operationId {identifier!r}, already used by {seen[identifier]}",
            )
        seen[identifier] = here
    if not any(True for _ in document.operations()):
        raise document.error(
            "/paths", "there is no operation in this spec, so there is nothing to generate"
        )
