"""One normal form for the schemas of OpenAPI 3.0 and 3.1: what says the same is the same, however it is written.

A schema is read from the places that hold together: itself, what it refers to, and the branches of its `allOf`. What is
below stays unread until it is asked for, so that a cycle costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .document import DANGLING, Node, TooComplexError, is_list, is_mapping

Nodes: TypeAlias = tuple[Node, ...]
"""Places that hold together, as the branches of an `allOf` do."""

LOWER_LIMITS = frozenset(
    {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
)
UPPER_LIMITS = frozenset(
    {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
)
EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
"""The limits that have a twin, which leaves the value itself out."""

_FACTS = ("format", "pattern", "multipleOf", "contentMediaType", "contentEncoding", "uniqueItems")
_AS_SINCE_3_1 = {
    ("format", "byte"): ("contentEncoding", "base64"),
    ("format", "binary"): ("contentMediaType", "application/octet-stream"),
}
# In this order: a bool is an int as well.
_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}
_FLAGS = ("readOnly", "writeOnly", "deprecated")
_PARTS = (
    *(
        "items",
        "additionalProperties",
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
        "contentSchema",
    ),
    *("unevaluatedItems", "unevaluatedProperties"),
)
_GROUPS = ("patternProperties", "dependentSchemas", "prefixItems")
_UNIONS = ("anyOf", "oneOf")
_ANNOTATIONS = frozenset(
    {"description", "title", "example", "examples", "externalDocs", "$comment", "xml"}
)
MAXIMUM_BRANCHES = 2_000
"""Of the unions that several parts of an `allOf` have, as each is held against all others."""

NEVER = "nothing"
"""The type of what no value can be."""


@dataclass
class Schema:
    """A schema in normal form. Whoever reads it changes nothing."""

    node: Node
    types: frozenset[str] = frozenset()
    """Without `null`; empty where any type will do."""
    nullable: bool | None = None
    """None where nothing is said about it."""
    values: Mapping[str, Any] | None = None
    """The values of `enum` or `const`, by what identifies them; `null` is told by `nullable`."""
    constant: bool = False
    """Whether the one value was written as `const`."""
    listed: bool = False
    """Whether the types were written as a union of schemas that have nothing but a type."""
    limits: dict[str, float] = field(default_factory=dict[str, float])
    facts: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Other restrictions, by keyword, as text; several where branches of an `allOf` differ."""
    default: str | None = None
    flags: set[str] = field(default_factory=set[str])
    required: set[str] = field(default_factory=set[str])
    dependent: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    properties: dict[str, Nodes] = field(default_factory=dict[str, Nodes])
    parts: dict[str, Nodes] = field(default_factory=dict[str, Nodes])
    groups: dict[str, dict[str, Nodes]] = field(default_factory=dict[str, dict[str, Nodes]])
    unions: dict[str, list[Nodes]] = field(default_factory=dict[str, list[Nodes]])
    discriminator: Node | None = None
    branches: list[Node] = field(default_factory=list[Node])
    """What `allOf` had, before it was flattened."""
    opaque: frozenset[str] = frozenset()
    """The texts of references that lead nowhere."""

    @property
    def is_only_union(self) -> bool:
        """Whether it says nothing but that one of several schemas holds."""
        return bool(self.unions) and not (
            self.types or self.properties or self.parts or self.groups or self.values
        )

    @property
    def says_something(self) -> bool:
        """Whether there is any value that it does not allow, as far as one can see from here."""
        restricted = self.limits or self.facts or self.opaque or self.values is not None
        return bool(
            restricted or self.types or self.properties or self.parts or self.groups or self.unions
        )


def read(nodes: Nodes) -> Schema:
    """The normal form of the schema that is written in some places, all of which hold."""
    schema = Schema(nodes[0].resolved())
    queue, seen = list(nodes), set[Node]()
    may_be_null = list[bool]()
    wrapped_null = False
    while queue:
        node = queue.pop(0)
        if node in seen:
            continue
        seen.add(node)
        raw = node.value
        if raw is False:
            schema.types = frozenset({NEVER})
        if not is_mapping(raw):
            continue
        if node.reference is not None:
            queue.insert(0, node.resolved())
            beside = {key: value for key, value in raw.items() if key != "$ref"}
            if not (node.document.joins_siblings and beside.keys() - _ANNOTATIONS):
                continue
            raw = beside
            node = replace(node, value=beside)
        if DANGLING in raw:
            schema.opaque |= {raw[DANGLING]}
        branches = [branch for _, branch in node.children("allOf")]
        schema.branches += branches
        queue += branches
        types, null = _types(raw)
        if (
            is_list(raw.get("enum")) and node.document.joins_siblings
        ):  # in 3.0 `nullable` adds null to what is listed
            null = null and None in raw["enum"]
        wrapped_null |= _read_unions(schema, node, queue) or (null and not types)
        if types:
            schema.types = _narrowed(schema.types, types)
            may_be_null.append(null)
        _read_values(schema, raw)
        _read_limits(schema, raw)
        _read_the_rest(schema, node)
    if wrapped_null or may_be_null:
        schema.nullable = wrapped_null or all(may_be_null)
    elif schema.unions:
        schema.nullable = False
    for name in sorted(
        schema.required - schema.properties.keys()
    ):  # described nowhere: it may be anything
        schema.properties[name] = (replace(schema.node.child("required", name), value={}),)
    return schema


def canonical(value: Any) -> str:
    """What identifies a value: the order of keys is none of it, and 1.0 is 1."""

    def plain(value: Any) -> Any:
        if is_mapping(value):
            return {str(key): plain(item) for key, item in value.items()}
        if is_list(value):
            return [plain(item) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return json.dumps(plain(value), sort_keys=True, default=str, ensure_ascii=False)


def _identity(schema: Schema, value: Any) -> str:
    try:
        return canonical(value)
    except RecursionError as error:
        problem = "a value is nested too deeply to be compared: flatten it, or take it out"
        raise TooComplexError(f"{schema.node.location}: {problem}") from error


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if is_list(value) else []


def _types(raw: dict[str, Any]) -> tuple[frozenset[str], bool]:
    """The types that a schema names, or that its values have; and whether it may be null."""
    named: Any = raw.get("type")
    types = {named} if isinstance(named, str) else set(_texts(named))
    types = types or {_type_of(value) for value in _values(raw) or ()}
    null = raw.get("nullable") is True or "null" in types
    if types == {"null"}:
        return frozenset({NEVER}), True
    if "number" in types:
        types.discard("integer")
    return frozenset(types - {"null"}), null


def _values(raw: dict[str, Any]) -> list[Any] | None:
    """The values of `const`, or else of `enum`; None where there is neither."""
    listed: Any = [raw["const"]] if "const" in raw else raw.get("enum")
    return listed if is_list(listed) else None


def _type_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return "integer"
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "string")


def _narrowed(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    """The types that both allow."""
    if not left:
        return right
    both = left & right
    if "integer" in left | right and "number" in left | right:
        both |= {"integer"}
    return both or frozenset({NEVER})


def _is_null(node: Node) -> bool:
    raw = node.resolved().value
    return is_mapping(raw) and (
        raw.get("type") in ("null", ["null"]) or [None] in (raw.get("enum"), _values(raw))
    )


def _read_unions(schema: Schema, node: Node, queue: list[Node]) -> bool:
    """Take a node's `anyOf` and `oneOf` in, simplified; say whether null was one of the branches."""
    null = False
    for keyword in _UNIONS:
        branches = [branch for _, branch in node.children(keyword)]
        proper = [branch for branch in branches if not _is_null(branch)]
        null |= len(proper) < len(branches)
        plain = _plain_types(proper)
        if len(proper) == 1:
            queue.insert(0, proper[0])
        elif plain:
            schema.types, schema.listed = _narrowed(schema.types, plain), True
        elif proper:
            found = schema.unions.setdefault(keyword, [])
            if len(found) > MAXIMUM_BRANCHES:
                problem = f"its unions have more than {MAXIMUM_BRANCHES:,} branches together"
                raise TooComplexError(f"{schema.node.location}: {problem}: take some of them apart")
            found += [
                (branch,)
                for branch in proper
                if not any(_is_copy(branch, other) for (other,) in found)
            ]
    return null


def _is_copy(branch: Node, other: Node) -> bool:
    """Whether two branches of an `allOf` have the same branch in their unions, so that once is enough."""
    return branch.value == other.value and (branch.file == other.file or branch.reference is None)


def _plain_types(branches: list[Node]) -> frozenset[str]:
    """The types of branches that have nothing but a type each, none of them in another; else none."""
    written = [branch.resolved().value for branch in branches]
    named = [
        raw["type"] for raw in written if is_mapping(raw) and raw.keys() - _ANNOTATIONS == {"type"}
    ]
    found = frozenset(kind for kind in named if isinstance(kind, str))
    return (
        found if len(found) == len(branches) and not {"integer", "number"} <= found else frozenset()
    )


def _read_values(schema: Schema, raw: dict[str, Any]) -> None:
    values = _values(raw)
    if values is None:
        return
    found = {_identity(schema, value): value for value in values if value is not None}
    if schema.values is not None:
        found = {key: value for key, value in found.items() if key in schema.values}
    schema.values, schema.constant = found, schema.constant or "const" in raw


def _read_limits(schema: Schema, raw: dict[str, Any]) -> None:
    """Take bounds in, with the exclusive ones of OpenAPI 3.0 (a flag) as those of 3.1 (a number)."""
    found = {key: raw[key] for key in LOWER_LIMITS | UPPER_LIMITS if key in raw}
    for inclusive, exclusive in EXCLUSIVE.items():
        if found.get(exclusive) is True and inclusive in found:
            found[exclusive] = found.pop(inclusive)
    for key, limit in found.items():
        is_number = (  # NaN is no number
            isinstance(limit, int | float) and not isinstance(limit, bool) and limit == limit  # noqa: PLR0124
        )
        # To be at least 0 long is as if it were not there.
        if is_number and (limit != 0 or key not in {"minLength", "minItems", "minProperties"}):
            tighter = max if key in LOWER_LIMITS else min
            schema.limits[key] = tighter(schema.limits.get(key, limit), limit)


def _read_the_rest(schema: Schema, node: Node) -> None:
    raw = node.value
    for key in _FACTS:
        if raw.get(key) not in (None, False, "") and (key != "uniqueItems" or raw[key] is True):
            written = raw[key] if isinstance(raw[key], str) else _identity(schema, raw[key])
            fact, text = _AS_SINCE_3_1.get((key, written), (key, written))
            schema.facts[fact] = tuple(sorted({*schema.facts.get(fact, ()), text}))
    if "default" in raw and schema.default is None:
        schema.default = _identity(schema, raw["default"])
    schema.flags |= {flag for flag in _FLAGS if raw.get(flag) is True}
    schema.required |= set(_texts(raw.get("required")))
    for name, names in _members(raw.get("dependentRequired")):
        schema.dependent[name] = schema.dependent.get(name, frozenset()) | frozenset(_texts(names))
    for name, child in node.children("properties"):
        schema.properties[name] = (*schema.properties.get(name, ()), child)
    for key in _PARTS:
        part = node.child(key)
        idle = key not in {"not", "if", "then", "else", "contains"} and _says_nothing(part)
        if isinstance(part.value, dict | bool) and not idle:
            schema.parts[key] = (*schema.parts.get(key, ()), part)
    for key in _GROUPS:
        for name, child in node.children(key):
            group = schema.groups.setdefault(key, {})
            group[name] = (*group.get(name, ()), child)
    discriminator = node.child("discriminator")
    if is_mapping(discriminator.value):
        schema.discriminator = discriminator


def _says_nothing(node: Node) -> bool:
    """Whether a schema allows any value, however it is written."""
    todo, seen = [node], set[Node]()
    for part in todo:
        if part in seen or part.value is True:
            continue
        seen.add(part)
        if not is_mapping(part.value) or part.value.keys() - _ANNOTATIONS - {"$ref", "allOf"}:
            return False
        todo += [branch for _, branch in part.children("allOf")]
        todo += [part.resolved()] * (part.reference is not None)
    return True


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    return ((str(name), item) for name, item in value.items()) if is_mapping(value) else ()
