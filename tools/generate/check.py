"""Checks the spec before generation, for everything that the generator accepts but gets wrong."""

from __future__ import annotations

from collections.abc import Iterator

from .document import METHODS, Document, SpecError, is_mapping, raise_together
from .invalid_values import find_invalid_values
from .unsupported import find_unsupported
from .walk import all_references


def check_spec(document: Document) -> None:
    """Run every check on a loaded spec.

    Raises:
        SpecError: for all problems, each with file, line and JSON pointer. Problems that could be
            the consequence of others are only looked for without those.
    """
    if "swagger" in document.root:
        raise document.error(
            "/swagger", "this is a Swagger document: convert it to OpenAPI 3 before generation"
        )
    version = str(document.root.get("openapi"))
    if not version.startswith("3.1"):
        raise document.error(
            "/openapi",
            f"{version!r} is no supported version of OpenAPI: write 3.0, 3.1 or 3.2",
        )
    raise_together([*find_broken_references(document), *find_malformed_operations(document)])
    errors = [
        *find_unusable_operation_ids(document),
        *find_duplicate_tags(document),
        *find_unsupported(document),
    ]
    # Where a rule has a message, the generator's own says less.
    places = {error.pointer for error in errors}
    for error in find_invalid_values(document):
        if error.pointer not in places:
            errors.append(error)
    raise_together(errors)


def find_broken_references(document: Document) -> Iterator[SpecError]:
    """Yield an error for each reference that cannot be followed, used or not."""
    for reference in all_references(document.top):
        try:
            document.resolve(reference)
        except SpecError as error:
            yield error


def find_malformed_operations(document: Document) -> Iterator[SpecError]:
    """Yield an error for each path item and each operation that is no mapping."""
    for _, reference in document.top.child("paths").entries():
        try:
            path_item = document.resolve(reference)
        except SpecError:
            # A broken reference has an error of its own.
            continue
        if not is_mapping(path_item.value):
            yield document.error(path_item.pointer, "a path item must be a mapping")
            continue
        for method in METHODS:
            node = path_item.child(method)
            if node.value is not None and not is_mapping(node.value):
                yield document.error(node.pointer, "an operation must be a mapping")


def find_unusable_operation_ids(document: Document) -> Iterator[SpecError]:
    """Yield an error for a spec without operations and for each unusable operationId.

    The generator exits with status 0 for both, measured with openapi-python-client 0.29.1.
    It names a file after each operationId, so of two equal ones the second overwrites the first.
    """
    operations = list(document.operations())
    if not operations:
        yield document.error("/paths", "there is no operation in this spec: nothing to generate")
    labels: dict[str, str] = {}
    for operation in operations:
        node = operation.node.child("operationId")
        # Without an operationId the generator derives a name from method and path.
        if node.value is None:
            continue
        if not isinstance(node.value, str) or not node.value.isprintable():
            yield document.error(node.pointer, "an operationId must be printable text")
        elif node.value in labels:
            yield document.error(
                node.pointer,
                f"duplicate operationId {node.value!r}, already used by {labels[node.value]}",
            )
        else:
            labels[node.value] = operation.label


def find_duplicate_tags(document: Document) -> Iterator[SpecError]:
    """Yield an error for each documented tag with the name of an earlier one.

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
            yield document.error(tag.pointer, f"duplicate tag {name!r}: remove one of them")
        names.add(name)
