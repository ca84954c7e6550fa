"""Merges schemas that all apply to the same data into one schema, if the meaning is clear.

`allOf` has such schemas, and so has a union with keywords beside it. The generator and the contract
merge only the properties of objects. This module merges the other forms before they read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
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
"""Our own bound for nested properties. A schema that contains itself is deeper than any other."""

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

_EQUAL = frozenset({"multipleOf", "pattern"})
"""The constraints that cannot be combined into one."""


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
    return _Merge(document).all(list(schemas), 0)


def constrains(schema: Any) -> bool:
    """Whether a schema decides about data or its Python type."""
    return is_mapping(schema) and not schema.keys().isdisjoint(CONSTRAINTS)


def types_of(schema: Schema) -> frozenset[str]:
    """The types that a schema lists; empty if it lists none."""
    types = schema.get("type", [])
    return frozenset(str(name) for name in (types if is_list(types) else [types]))


class _Merge:
    """One merge, with the references that are being followed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._followed: list[str] = []

    def all(self, schemas: list[Schema], depth: int) -> Schema:
        if depth > _DEEPEST_MERGE:
            raise UnmergeableError
        result, *others = schemas
        for schema in others:
            result = self._pair(result, schema, depth)
        # A schema alone is also freed of `allOf`, but a reference stays one.
        return result if others else self._flat(result, depth)

    def _pair(self, first: Schema, second: Schema, depth: int) -> Schema:
        """Two schemas as one. A reference stays one where the other schema adds nothing."""
        if first == second or not constrains(second) or self._is_implied(second, first):
            return _with_annotations(first, second)
        if not constrains(first) or self._is_implied(first, second):
            return _with_annotations(second, {**_annotations(first), **_annotations(second)})
        return self._distributed(self._flat(first, depth), self._flat(second, depth), depth)

    def _is_implied(self, schema: Schema, other: Schema) -> bool:
        """Whether a schema only lists types, and the other one allows no other types."""
        if schema.keys() & CONSTRAINTS != {"type"}:
            return False
        target = self._document.resolve(Node(other, ""))
        types = types_of(target.value) if is_mapping(target.value) else frozenset[str]()
        return bool(types) and types <= types_of(schema)

    def _flat(self, schema: Schema, depth: int) -> Schema:
        """A schema without references and `allOf` at its top."""
        if depth > _DEEPEST_MERGE:
            raise UnmergeableError
        if isinstance(schema.get("$ref"), str):
            own = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
            flat_target = self._flat_target(schema, depth)
            if not constrains(own):
                return {**flat_target, **own}
            return self._distributed(flat_target, own, depth + 1)
        schema = deepcopy(schema)
        branches = schema.pop("allOf", None)
        if branches is None:
            return schema
        if not is_list(branches) or not all(is_mapping(branch) for branch in branches):
            raise UnmergeableError
        # What surrounds the branches comes last: it is more specific.
        result: Schema = {}
        for branch in branches:
            flat_branch = self._flat(branch, depth + 1)
            for name in _OWN_ANNOTATIONS & flat_branch.keys():
                del flat_branch[name]
            result = self._distributed(result, flat_branch, depth + 1)
        return self._distributed(result, schema, depth + 1)

    def _flat_target(self, reference: Schema, depth: int) -> Schema:
        target = self._document.resolve(Node(reference, ""))
        if not is_mapping(target.value) or target.pointer in self._followed:
            raise UnmergeableError
        self._followed.append(target.pointer)
        try:
            return self._flat(target.value, depth + 1)
        finally:
            self._followed.pop()

    def _distributed(self, first: Schema, second: Schema, depth: int) -> Schema:
        """Two flat schemas as one: a union becomes a union of its merged branches."""
        for keyword in UNIONS:
            for union, other in ((first, second), (second, first)):
                if keyword not in union:
                    continue
                if not constrains(other):
                    return {**first, **second}
                return self._merged_union(keyword, union, other, depth)
        return self._merged_keywords(first, second, depth)

    def _merged_union(self, keyword: str, union: Schema, other: Schema, depth: int) -> Schema:
        own = {name: value for name, value in union.items() if name != keyword}
        # Its mapping names branches that no longer exist.
        own.pop("discriminator", None)
        branches: list[Schema] = []
        for branch in union[keyword]:
            if not is_mapping(branch):
                raise UnmergeableError
            try:
                branches.append(self._merged_branch(branch, own, other, depth + 1))
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

    def _merged_branch(self, branch: Schema, own: Schema, other: Schema, depth: int) -> Schema:
        constraints = {name: own[name] for name in own.keys() & CONSTRAINTS}
        result = self._flat(branch, depth)
        annotations = _annotations(result)
        if constraints:
            result = self._distributed(constraints, result, depth)
        others = {name: other[name] for name in other.keys() & CONSTRAINTS}
        result = self._distributed(others, result, depth)
        return {**result, **annotations}

    def _merged_keywords(self, first: Schema, second: Schema, depth: int) -> Schema:
        result: Schema = {**first, **second}
        for keyword in first.keys() & second.keys():
            first_value = first[keyword]
            second_value = second[keyword]
            if first_value == second_value:
                continue
            if keyword in _STRICTER:
                result[keyword] = _STRICTER[keyword](first_value, second_value)
            elif keyword in _EQUAL:
                raise UnmergeableError
            elif keyword == "items":
                result[keyword] = self.child(first_value, second_value, depth)
            elif keyword == "properties":
                result[keyword] = self._merged_properties(first_value, second_value, depth)
            elif keyword == "required":
                result[keyword] = list(dict.fromkeys([*first_value, *second_value]))
        _set_additional_properties(self, result, first, second, depth)
        _set_types(result, first, second)
        _set_values(result, first, second)
        return result

    def _merged_properties(self, first: Any, second: Any, depth: int) -> Schema:
        if not (is_mapping(first) and is_mapping(second)):
            raise UnmergeableError
        properties: Schema = {**first}
        for name, child in second.items():
            if name in properties:
                child = self.child(properties[name], child, depth)  # noqa: PLW2901
            properties[name] = child
        return properties

    def child(self, first: Any, second: Any, depth: int) -> Any:
        """The schema of a property or of items."""
        if first is True or first == second:
            return second
        if second is True:
            return first
        if not (is_mapping(first) and is_mapping(second)):
            raise UnmergeableError
        return self.all([first, second], depth + 1)


class _NothingValidError(UnmergeableError):
    """No data is valid for all of the schemas."""


def _set_additional_properties(
    merge: _Merge, result: Schema, first: Schema, second: Schema, depth: int
) -> None:
    """Merge `additionalProperties`, which says more about one schema than about all of them.

    By its letter, `false` beside `allOf` forbids the properties of the branches. Nobody means that.
    So it counts only if it is everywhere.
    """
    keyword = "additionalProperties"
    values = [schema[keyword] for schema in (first, second) if keyword in schema]
    if len(values) == 1 and values[0] is False and "properties" in first and "properties" in second:
        del result[keyword]
    elif len(values) == 2 and values[0] != values[1]:
        described = [value for value in values if value not in (True, False)]
        if len(described) == 2:
            result[keyword] = merge.child(described[0], described[1], depth)
        elif described:
            result[keyword] = described[0]
        else:
            del result[keyword]


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
    lists = [values for values in (_values_of(first), _values_of(second)) if values is not None]
    if not lists:
        return
    keys = set(map(_key, lists[-1]))
    values = [value for value in lists[0] if _key(value) in keys]
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


def _annotations(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in CONSTRAINTS}


def _key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
