"""Example data for a schema, from which the emulator builds its resources and responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

from .directions import has_flag
from .document import Document
from .schema import JsonObject

MAXIMUM_DEPTH = 4
"""The depth at which a sample stops to grow: a schema may contain itself."""

FORMAT_EXAMPLES = {
    "date": "2021-07-28",
    "date-time": "2021-07-28T00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""A value for each format that the emulator enforces."""


_SCALAR_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class Samples:
    """Builds and caches one sample for each schema of a document.

    Args:
        document: the document.
        omitted: the flag of the properties that are left out: `WRITE_ONLY` for responses,
            `READ_ONLY` for requests.
    """

    def __init__(self, document: Document, omitted: str) -> None:
        self._document = document
        self._omitted = omitted
        # By identity of the schema. The schema is stored too, so that its identity stays unique.
        self._cache: dict[int, tuple[Any, Any]] = {}

    def sample(self, schema: Any) -> Any:
        """A copy of the schema's sample: its example if it has one, otherwise the simplest data."""
        identity = id(schema)
        if identity not in self._cache:
            self._cache[identity] = (schema, self._build(schema, 0, frozenset()))
        _, sample = self._cache[identity]
        return deepcopy(sample)

    def _build(self, schema: Any, depth: int, outer: frozenset[int]) -> Any:
        """The sample of a schema.

        Args:
            schema: the schema.
            depth: the number of samples around this one.
            outer: the identities of the deep schemas around it.
        """
        schema = self._document.resolve(schema)
        for example in _examples(schema):
            if self._is_valid(schema, example):
                return example
        if depth >= MAXIMUM_DEPTH:
            if id(schema) in outer:
                # It requires itself, so that no sample of this form ends.
                return None
            outer |= {id(schema)}
        if properties := self._document.properties(schema):
            return self._build_object(schema, properties, depth, outer)
        for keyword in ("oneOf", "anyOf", "allOf"):
            if branches := schema.get(keyword):
                return self._build_branch(branches, depth, outer)
        return self._build_by_type(schema, depth, outer)

    def _is_valid(self, schema: JsonObject, example: Any) -> bool:
        """Whether a schema accepts one of its own examples. Those of some documents are wrong."""
        if example.__class__ in (dict, list):
            return self._document.compile(schema).is_valid(example)
        # Most examples are scalars. To compile a validator for each would take time and memory.
        types = schema.get("type", [])
        type_names = [types] if isinstance(types, str) else types
        if type_names and not any(_is_of_type(example, name) for name in type_names):
            return False
        return "enum" not in schema or example in schema["enum"]

    def _build_object(
        self,
        schema: JsonObject,
        properties: dict[str, JsonObject],
        depth: int,
        outer: frozenset[int],
    ) -> JsonObject:
        """An object of the required properties and of the optional ones with a valid sample."""
        required = self._document.required(schema)
        names = [name for name in properties if not has_flag(properties[name], self._omitted)]
        required = [name for name in required if name in names]
        if depth >= MAXIMUM_DEPTH:
            names = required

        sample: JsonObject = {}
        for name in names:
            value = self._build(properties[name], depth + 1, outer)
            is_required = name in required
            compiled = self._document.compile(properties[name], optional=self._omitted)
            if is_required or compiled.is_valid(value):
                sample[name] = value
        return sample

    def _build_branch(self, branches: list[Any], depth: int, outer: frozenset[int]) -> Any:
        """A sample of the first alternative. A deep one is null where that is allowed."""
        schemas = [self._document.resolve(branch) for branch in branches]
        chosen_schema = schemas[0]
        if depth >= MAXIMUM_DEPTH:
            for schema in schemas:
                if schema.get("type") == "null":
                    chosen_schema = schema
                    break
        return self._build(chosen_schema, depth + 1, outer)

    def _build_by_type(self, schema: JsonObject, depth: int, outer: frozenset[int]) -> Any:
        match first_type(schema):
            case "array":
                length = int(schema.get("minItems", 0))
                item_schema = schema.get("items", {})
                return [self._build(item_schema, depth + 1, outer) for _ in range(length)]
            case "integer" | "number":
                return sample_number(schema)
            case "string":
                text = FORMAT_EXAMPLES.get(schema.get("format", ""), "")
                return text.ljust(int(schema.get("minLength", 0)), "a")
            case "boolean":
                return False
            case "object":
                return JsonObject()
            case _:
                return None


def first_type(schema: JsonObject) -> str:
    """The type of a schema, or the first of several; `null` if it has none."""
    types = schema.get("type", "null")
    if isinstance(types, str):
        return types
    return cast("str", types[0])


def sample_number(schema: JsonObject) -> float:
    """Zero, or the multiple within the bounds that is nearest to zero."""
    step: float = schema.get("multipleOf", 1)
    minimum: float | None = schema.get("minimum")
    maximum: float | None = schema.get("maximum")
    if "exclusiveMinimum" in schema:
        minimum = schema["exclusiveMinimum"] + step
    if "exclusiveMaximum" in schema:
        maximum = schema["exclusiveMaximum"] - step

    if minimum is not None and minimum > 0:
        # Floor division rounds down; negating twice rounds up.
        return -(-minimum // step) * step
    if maximum is not None and maximum < 0:
        return maximum // step * step
    return 0


def _examples(schema: JsonObject) -> Iterator[Any]:
    """The values that a schema names, the best one first."""
    for keyword in ("example", "default", "const"):
        if keyword in schema:
            yield schema[keyword]
    for keyword in ("examples", "enum"):
        values = schema.get(keyword, ())
        # The parser returns plain lists.
        if values.__class__ is list:
            yield from values


def _is_of_type(value: Any, name: str) -> bool:
    """Whether a scalar is of a type of JSON Schema."""
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, float) and name == "integer":
        return value.is_integer()
    return isinstance(value, _SCALAR_TYPES.get(name, ()))
