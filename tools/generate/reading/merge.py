"""Merges schemas that all apply to the same data into one schema, if the meaning is clear.

`allOf` has such schemas, and so has a union with keywords beside it. The generator and the contract
merge only the properties of objects. This module merges the other forms before they read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from ..document import Document, Node, Schema, is_list, is_mapping
from ..unsupported.keywords import OUR_EXTENSIONS, REFERENCE_SIBLINGS, VALIDATED_KEYWORDS

UNIONS = ("anyOf", "oneOf")

CONSTRAINTS = VALIDATED_KEYWORDS | {"contentEncoding", "contentMediaType", "format"}
"""The keywords that decide about data or its Python type. All others are annotations."""

_LARGEST_UNION = 64
"""Our own bound for the branches of a merged union: each becomes a class."""

_DEEPEST_MERGE = 12
"""Our own bound for nested merges. A schema that contains itself is deeper than any other."""

_STRICTER: Mapping[str, Callable[[Any, Any], Any]] = {
    "exclusiveMaximum": min,
    "exclusiveMinimum": max,
    "maxItems": min,
    "maxLength": min,
    "maxProperties": min,
    "maximum": min,
    "minItems": max,
    "minLength": max,
    "minProperties": max,
    "minimum": max,
    "uniqueItems": max,
}
"""The limits, of which the stricter one applies."""

_NUMBER_FORMATS = ("int32", "int64", "float", "double")
"""The formats of numbers, the strictest one first. Each number of one fits into the next ones."""

_DEPENDENT_KEYWORDS = frozenset({"additionalProperties", "const", "enum", "type"})
"""The constraints that have functions of their own, because other keywords matter for them."""

_OWN_ANNOTATIONS = frozenset(
    {"discriminator", "example", "examples", "externalDocs", "title", "xml"}
)
"""What describes one schema of an `allOf`, and not the whole."""


class UnmergeableError(Exception):
    """The schemas have no clear common meaning."""


def merged(document: Document, schemas: Iterable[Schema]) -> Schema:
    """One schema that means the same as all the schemas together.

    An annotation, such as a description, is the last one.

    Raises:
        UnmergeableError: there is none, or no data is valid for all of them.
        SpecError: a reference leads nowhere.
    """
    return _Merge(document).merged(list(schemas))


def constrains(schema: Any) -> bool:
    """Whether a schema decides about data or its Python type."""
    return is_mapping(schema) and not schema.keys().isdisjoint(CONSTRAINTS)


def types_of(schema: Schema) -> frozenset[str]:
    """The types that a schema lists; empty if it lists none."""
    types = schema.get("type", [])
    return frozenset(str(name) for name in (types if is_list(types) else [types]))


class _Merge:
    """One merge, with the references that are being followed, and its depth."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._followed: list[str] = []
        self._depth = 0

    def merged(self, schemas: list[Schema]) -> Schema:
        first, *others = schemas
        if not others:
            # A schema alone is also freed of `allOf`, but a reference stays one.
            return self._flat(first)
        result = first
        for schema in others:
            result = self._merged_pair(result, schema)
        return result

    @contextmanager
    def _nested(self) -> Generator[None]:
        """One level deeper: in a property, in items, or in a branch of a union.

        Only these can go on for ever: a schema can contain itself there, through a reference.
        """
        if self._depth == _DEEPEST_MERGE:
            raise UnmergeableError
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _merged_pair(self, first: Schema, second: Schema) -> Schema:
        """Two schemas as one. A reference stays one where the other schema adds nothing."""
        if self._adds_nothing(second, first):
            return _with_annotations(first, second)
        if self._adds_nothing(first, second):
            # An annotation that both have stays the one of the second schema.
            return _with_annotations(second, {**first, **second})
        return self._merged_flat(self._flat(first), self._flat(second))

    def _adds_nothing(self, schema: Schema, other: Schema) -> bool:
        """Whether all data that is valid for the other schema is valid for this one."""
        return schema == other or not constrains(schema) or self._is_implied(schema, other)

    def _is_implied(self, schema: Schema, other: Schema) -> bool:
        """Whether a schema only lists types, and the other one allows no other types."""
        if schema.keys() & CONSTRAINTS != {"type"}:
            return False
        target = self._document.resolve(Node(other, ""))
        types = types_of(target.value) if is_mapping(target.value) else frozenset[str]()
        return bool(types) and types <= types_of(schema)

    def _flat(self, schema: Schema) -> Schema:
        """A schema without references and `allOf` at its top."""
        if isinstance(schema.get("$ref"), str):
            own = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
            flat_target = self._flat_target(schema)
            if not constrains(own):
                return {**flat_target, **own}
            return self._merged_flat(flat_target, self._flat(own))
        schema = deepcopy(schema)
        branches = schema.pop("allOf", None)
        if branches is None:
            return schema
        if not is_list(branches) or not all(is_mapping(branch) for branch in branches):
            raise UnmergeableError
        # What surrounds the branches comes last: it is more specific.
        result: Schema = {}
        for branch in branches:
            flat_branch = self._flat(branch)
            for name in _OWN_ANNOTATIONS & flat_branch.keys():
                del flat_branch[name]
            result = self._merged_flat(result, flat_branch)
        return self._merged_flat(result, schema)

    def _flat_target(self, reference: Schema) -> Schema:
        target = self._document.resolve(Node(reference, ""))
        if not is_mapping(target.value) or target.pointer in self._followed:
            raise UnmergeableError
        self._followed.append(target.pointer)
        try:
            return self._flat(target.value)
        finally:
            self._followed.pop()

    def _merged_flat(self, first: Schema, second: Schema) -> Schema:
        """Two flat schemas as one: a union becomes a union of its merged branches."""
        for keyword in UNIONS:
            for union, other in ((first, second), (second, first)):
                if keyword not in union:
                    continue
                if not constrains(other):
                    return {**first, **second}
                return self._merged_union(keyword, union, other)
        return self._merged_keywords(first, second)

    def _merged_union(self, keyword: str, union: Schema, other: Schema) -> Schema:
        own = {name: value for name, value in union.items() if name != keyword}
        # Its mapping names branches that no longer exist.
        own.pop("discriminator", None)
        branches: list[Schema] = []
        for branch in union[keyword]:
            if not is_mapping(branch):
                raise UnmergeableError
            try:
                with self._nested():
                    branches.append(self._merged_branch(branch, own, other))
            except _NothingValidError:
                continue
        if not branches:
            raise _NothingValidError
        if len(branches) > _LARGEST_UNION:
            raise UnmergeableError
        annotations = {**_annotations(own), **_annotations(other)}
        annotations.pop("discriminator", None)
        if len(branches) == 1:
            return {**branches[0], **annotations}
        return {keyword: branches, **annotations}

    def _merged_branch(self, branch: Schema, own: Schema, other: Schema) -> Schema:
        """A branch of a union, with what stands beside the union and the other schema.

        These are merged from the inside out, each before the branch. So the properties of the class
        are in the order of the spec, and a property that several describe has the description of
        the branch. Only the annotations of the branch stay: those of the others describe the union.
        """
        flat_branch = self._flat(branch)
        result = self._merged_flat(_constraints(own), flat_branch)
        result = self._merged_flat(_constraints(other), result)
        return {**result, **_annotations(flat_branch)}

    def _merged_keywords(self, first: Schema, second: Schema) -> Schema:
        result: Schema = {**first, **second}
        # First what can leave nothing valid. A union then goes without this branch.
        _set_types(result, first, second)
        _set_values(result, first, second)
        for keyword in first:
            if keyword not in second or keyword not in CONSTRAINTS - _DEPENDENT_KEYWORDS:
                continue
            if first[keyword] != second[keyword]:
                result[keyword] = self._merged_value(keyword, first[keyword], second[keyword])
        self._set_additional_properties(result, first, second)
        return result

    def _merged_value(self, keyword: str, first: Any, second: Any) -> Any:
        """The value of a constraint for which two schemas have different ones."""
        if keyword in _STRICTER:
            return _STRICTER[keyword](first, second)
        if keyword == "format" and first in _NUMBER_FORMATS and second in _NUMBER_FORMATS:
            return min(first, second, key=_NUMBER_FORMATS.index)
        if keyword == "items":
            return self._merged_child(first, second)
        if keyword == "properties":
            return self._merged_properties(first, second)
        if keyword == "required":
            return list(dict.fromkeys([*first, *second]))
        # Such as two patterns: no keyword says that both apply.
        raise UnmergeableError

    def _merged_properties(self, first: Any, second: Any) -> Schema:
        if not (is_mapping(first) and is_mapping(second)):
            raise UnmergeableError
        properties: Schema = {**first, **second}
        for name in first.keys() & second.keys():
            properties[name] = self._merged_child(first[name], second[name])
        return properties

    def _merged_child(self, first: Any, second: Any) -> Any:
        """The schema of a property or of items."""
        if first is True or first == second:
            return second
        if second is True:
            return first
        if not (is_mapping(first) and is_mapping(second)):
            raise UnmergeableError
        with self._nested():
            return self.merged([first, second])

    def _set_additional_properties(self, result: Schema, first: Schema, second: Schema) -> None:
        """Merge `additionalProperties`, which says more about one schema than about all of them.

        By its letter, `false` beside `allOf` forbids the properties of the branches. Nobody means
        that. So it counts only if it is everywhere.
        """
        keyword = "additionalProperties"
        values = [schema[keyword] for schema in (first, second) if keyword in schema]
        both_have_properties = "properties" in first and "properties" in second
        if len(values) == 1 and values[0] is False and both_have_properties:
            del result[keyword]
        elif len(values) == 2 and values[0] != values[1]:
            described = [value for value in values if value not in (True, False)]
            if len(described) == 2:
                result[keyword] = self._merged_child(*described)
            elif described:
                result[keyword] = described[0]
            else:
                del result[keyword]


class _NothingValidError(UnmergeableError):
    """No data is valid for all of the schemas."""


def _set_types(result: Schema, first: Schema, second: Schema) -> None:
    first_types = types_of(first)
    second_types = types_of(second)
    if not first_types or not second_types or first_types == second_types:
        return
    common = first_types & second_types
    # Every integer is a number.
    for one, other in ((first_types, second_types), (second_types, first_types)):
        if "integer" in one and "number" in other:
            common |= {"integer"}
    if not common:
        raise _NothingValidError
    names = sorted(common - {"null"}) + sorted(common & {"null"})
    result["type"] = names[0] if len(names) == 1 else names


def _set_values(result: Schema, first: Schema, second: Schema) -> None:
    """Merge `enum` and `const`: the values that both schemas allow."""
    values = _common_values(_values_of(first), _values_of(second))
    if values is None:
        return
    types = types_of(result)
    if types and "null" not in types:
        values = [value for value in values if value is not None]
    if not values:
        raise _NothingValidError
    is_constant = "const" in result
    for keyword in ("const", "enum", "x-enum-varnames"):
        result.pop(keyword, None)
    if is_constant:
        result["const"] = values[0]
    else:
        result["enum"] = values
        _set_names(result, first, second)
    if "default" in result and _key(result["default"]) not in set(map(_key, values)):
        del result["default"]


def _set_names(result: Schema, *schemas: Schema) -> None:
    """Keep the Python names of the values of an enum."""
    for schema in schemas:
        values = schema.get("enum")
        names = schema.get("x-enum-varnames")
        if not (is_list(values) and is_list(names) and len(values) == len(names)):
            continue
        by_value = {_key(value): name for value, name in zip(values, names, strict=True)}
        result["x-enum-varnames"] = [by_value[_key(value)] for value in result["enum"]]


def _common_values(first: list[Any] | None, second: list[Any] | None) -> list[Any] | None:
    """The values of two lists. `None` stands for all values."""
    if first is None:
        return second
    if second is None:
        return first
    keys = {_key(value) for value in second}
    return [value for value in first if _key(value) in keys]


def _values_of(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if is_list(values) else None


def _with_annotations(schema: Schema, annotations: Schema) -> Schema:
    added = _annotations(annotations)
    if "$ref" in schema:
        # The rest would be lost. A rule rejects our extensions there.
        kept = REFERENCE_SIBLINGS | OUR_EXTENSIONS
        added = {name: value for name, value in added.items() if name in kept}
    return {**deepcopy(schema), **deepcopy(added)}


def _constraints(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name in CONSTRAINTS}


def _annotations(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in CONSTRAINTS}


def _key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
