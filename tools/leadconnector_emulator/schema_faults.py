"""Finds the invalid schemas of a spec when it is loaded, in a time that is linear in its size.

A validator contains all that its schema refers to. To compile one for every schema would compile
the shared components again for each operation. So here each schema is compiled once and without its
references, and the targets of the references are compiled in the same way. Whether a schema is
valid does not depend on where it is referred from. That the targets exist is checked by `Document`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias, cast

from .references import References, Steps, steps_of, target_of
from .schema import JsonObject, compile_validator

HTTP_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that are operations (OpenAPI 3.1, section 4.8.9)."""

MAXIMUM_MESSAGE_LENGTH = 300
"""The number of characters of the message of a fault."""

PlaceSteps: TypeAlias = tuple[str | int, ...]
"""The names and indexes that lead to a place in the document."""


class InvalidSchemaError(ValueError):
    """A schema of the spec is invalid.

    Args:
        steps: the names and indexes that lead to the fault in the document.
        message: what is wrong there.
    """

    def __init__(self, steps: PlaceSteps, message: str) -> None:
        super().__init__(message)
        self.steps = steps
        self.message = message

    @property
    def pointer(self) -> str:
        """The place of the fault as a JSON pointer."""
        return _pointer(self.steps)


class _Place(NamedTuple):
    """A node of the document, and the steps that lead to it."""

    node: Any
    steps: PlaceSteps


def check_schemas(root: JsonObject, references: References) -> None:
    """Check the schemas that operations use. Nodes of another form than OpenAPI's are skipped.

    Args:
        root: the parsed document; its references must have targets.
        references: the references of the document.

    Raises:
        InvalidSchemaError: a schema is invalid.
    """
    check = _SchemasOfOperations(root, references)
    for path_item in check.entries(_Place(root, ()), "paths"):
        check.collect_parameters(path_item)
        for method in HTTP_METHODS:
            check.collect_operation(check.entry(path_item, method))
    check.run()


class _SchemasOfOperations:
    """Collects schemas, and compiles each of them once."""

    def __init__(self, root: JsonObject, references: References) -> None:
        self._root = root
        self._references = references
        self._pending: list[_Place] = []

    def collect_operation(self, operation: _Place) -> None:
        """Collect the schemas of an operation."""
        self.collect_parameters(operation)
        self._collect_content(self.entry(operation, "requestBody"))
        for response in self.entries(operation, "responses"):
            self._collect_content(response)
            for header in self.entries(response, "headers"):
                self._collect_schema(header)

    def collect_parameters(self, owner: _Place) -> None:
        """Collect the schemas of the parameters of an operation or a path."""
        for parameter in self.entries(owner, "parameters"):
            self._collect_schema(parameter)

    def _collect_content(self, owner: _Place) -> None:
        for media_type in self.entries(owner, "content"):
            self._collect_schema(media_type)

    def _collect_schema(self, owner: _Place) -> None:
        node = owner.node
        if node.__class__ is dict and "schema" in node:
            self._pending.append(_Place(node["schema"], (*owner.steps, "schema")))

    def run(self) -> None:
        """Compile the schemas that were collected, and those to which they refer.

        Raises:
            InvalidSchemaError: a schema is invalid.
        """
        checked: set[PlaceSteps] = set()
        while self._pending:
            place = self._pending.pop()
            if place.steps not in checked:
                checked.add(place.steps)
                self._check(place)

    def _check(self, place: _Place) -> None:
        targets: set[Steps] = set()
        schema = _without_references(place.node, targets)
        try:
            compile_validator(schema)
            if _has_id(place.node):
                # References below an `$id` are relative to it, so that they may have no target.
                compile_validator(self._references.self_contained(_as_used(place)))
        except ValueError as error:
            # The path is empty for what is no JSON, such as a name that is a number.
            path: list[str | int] = list(getattr(error, "instance_path", ()))
            message: str = getattr(error, "message", str(error))
            if len(message) > MAXIMUM_MESSAGE_LENGTH:
                # It contains the invalid part of the schema.
                message = f"{message[:MAXIMUM_MESSAGE_LENGTH]}…"
            raise InvalidSchemaError((*place.steps, *path), message) from error
        for steps in targets:
            self._pending.append(_Place(target_of(self._root, steps), steps))

    def entry(self, owner: _Place, name: str) -> _Place:
        """An entry of a mapping with its reference followed; an empty node if there is none."""
        node = owner.node
        if node.__class__ is not dict:
            return _Place(None, owner.steps)
        return self._followed(_Place(node.get(name), (*owner.steps, name)))

    def entries(self, owner: _Place, name: str) -> Iterator[_Place]:
        """The entries of a mapping or list with their references followed."""
        collection = self.entry(owner, name)
        for step, node in _items(collection.node):
            yield self._followed(_Place(node, (*collection.steps, step)))

    def _followed(self, place: _Place) -> _Place:
        reference = _reference_of(place.node)
        while reference is not None:
            steps = steps_of(reference)
            place = _Place(target_of(self._root, steps), steps)
            reference = _reference_of(place.node)
        return place


def _reference_of(node: Any) -> str | None:
    # The parser returns plain dicts and lists.
    if node.__class__ is not dict:
        return None
    reference = node.get("$ref")
    return reference if isinstance(reference, str) else None


def _items(collection: Any) -> Iterator[tuple[str | int, Any]]:
    if collection.__class__ is dict:
        yield from collection.items()
    elif collection.__class__ is list:
        yield from enumerate(collection)


def _without_references(node: Any, targets: set[Steps]) -> Any:
    """A schema without its references.

    Args:
        node: the schema, or a part of it.
        targets: receives the targets of the references.
    """
    if node.__class__ is list:
        return [_without_references(child, targets) for child in node]
    if node.__class__ is not dict:
        return node
    copy: JsonObject = {}
    for name, child in node.items():
        if name == "$ref" and isinstance(child, str):
            targets.add(steps_of(child))
        else:
            copy[name] = _without_references(child, targets)
    return copy


def _has_id(node: Any) -> bool:
    """Whether a schema, or a schema in it, has an `$id`."""
    if node.__class__ is dict:
        return isinstance(node.get("$id"), str) or any(map(_has_id, node.values()))
    if node.__class__ is list:
        return any(map(_has_id, node))
    return False


def _as_used(place: _Place) -> JsonObject:
    """A schema as validators contain it: a component is a part, any other is the whole."""
    if place.steps[0] == "components":
        return {"$ref": _pointer(place.steps)}
    return cast("JsonObject", place.node)


def _pointer(steps: PlaceSteps) -> str:
    # RFC 6901, section 3: `~` and `/` are escaped.
    escaped_steps = [str(step).replace("~", "~0").replace("/", "~1") for step in steps]
    return "/".join(["#", *escaped_steps])
