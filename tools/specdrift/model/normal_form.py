"""Reads schemas of OpenAPI 3.0 and 3.1 into the normal form that the comparison works on.

Only one level is read at a time: subschemas stay nodes. So a schema may contain itself.
`schema.py` defines the normal form.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .document import DANGLING, Node, TooComplexError, is_list, is_mapping
from .schema import (
    EXCLUSIVE_LIMITS,
    LOWER_LIMITS,
    NEVER,
    UPPER_LIMITS,
    Nodes,
    Schema,
    canonical,
)

MAXIMUM_BRANCHES = 2_000
"""The most branches that the unions of one schema may have together.

Each new branch is compared with all earlier ones, so the time grows with the square of the number.
"""

_RESTRICTIONS = (
    "format",
    "pattern",
    "multipleOf",
    "contentMediaType",
    "contentEncoding",
    "uniqueItems",
)
_SUBSCHEMAS = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "contentSchema",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_SUBSCHEMA_GROUPS = ("patternProperties", "dependentSchemas", "prefixItems")
_UNIONS = ("anyOf", "oneOf")
_FLAGS = ("readOnly", "writeOnly", "deprecated")

_BOOLEAN = frozenset({"boolean"})
_BOOLEAN_VALUES = frozenset({"true", "false"})
"""The values of a boolean, as canonical texts."""

_ALL_OF_ALONE = frozenset({"allOf"})
_TYPE_KEYWORDS = frozenset({"type"})
_VALUE_KEYWORDS = frozenset({"type", "enum", "const"})

_RESTRICTING_KEYWORDS = frozenset(
    {
        *_VALUE_KEYWORDS,
        *LOWER_LIMITS,
        *UPPER_LIMITS,
        *_RESTRICTIONS,
        *_SUBSCHEMAS,
        *_SUBSCHEMA_GROUPS,
        *_UNIONS,
        "allOf",
        "properties",
        "required",
        "dependentRequired",
        "$ref",
        DANGLING,
    }
)
"""Keywords that change which values a schema allows.

All others are annotations, extensions such as `x-label` included (JSON Schema 2020-12, sections 9
and 6.5 of the core).
"""

_EVALUATING_KEYWORDS = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas", DANGLING}
)
"""Keywords whose schemas evaluate properties, so that those are not unevaluated."""

_SIGNIFICANT_WHEN_EMPTY = frozenset({"not", "if", "contains"})
"""Keywords with an effect even if their schema allows every value: `not: {}` rejects all."""

_LIMITS_THAT_ZERO_DISABLES = frozenset({"minLength", "minItems", "minProperties"})
"""A length of at least 0 is no restriction."""

_REPLACED_FORMATS = {
    "byte": ("contentEncoding", "base64"),
    "binary": ("contentMediaType", "application/octet-stream"),
}
"""Formats of OpenAPI 3.0 and the keyword and value that 3.1 uses instead.

Source: https://learn.openapis.org/upgrading/v3.0-to-v3.1.html
"""

# The first match counts. `bool` is first, because in Python a bool is an int as well.
_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (dict, "object"),
    (list, "array"),
    (type(None), "null"),
)


@dataclass(frozen=True)
class _TypeDeclaration:
    """The types that one node allows."""

    types: frozenset[str]
    """Without `null`; empty if the node does not restrict types."""
    allows_null: bool


def read_schema(nodes: Nodes) -> Schema:
    """Merge nodes that apply together into one schema in normal form.

    References are followed, and the branches of each `allOf` are merged as well.

    Raises:
        TooComplexError: A value is nested too deeply, or the unions have too many branches.
    """
    reader = _SchemaReader(nodes)
    reader.read_nodes()
    reader.set_nullable()
    reader.read_multiples_of_one()
    reader.remove_ineffective_values()
    reader.add_undescribed_properties()
    return reader.schema


class _SchemaReader:
    """Collects the keywords of one schema from all nodes that apply together."""

    def __init__(self, nodes: Nodes) -> None:
        self.schema = Schema(nodes[0].resolved())
        self._queue = deque(nodes)
        self._visited = set[Node]()
        # `null` is allowed by a branch of a union, or by a node without types.
        self._null_is_allowed_separately = False
        # For each node with types: whether it allows `null`. All of them have to.
        self._null_beside_types: list[bool] = []

    def read_nodes(self) -> None:
        """Read all queued nodes. References, `allOf` and unions of one schema queue others."""
        while self._queue:
            node = self._queue.popleft()
            if node in self._visited:
                continue
            self._visited.add(node)
            if node.value is False:
                self._reject_everything()
            if not is_mapping(node.value):
                if not isinstance(node.value, bool):
                    node.skip_unless_empty("is not a schema")
                continue
            if node.reference is None:
                self._read_keywords(node)
                continue
            # First in the queue, so that keywords are read in the order in which they are written.
            self._queue.appendleft(node.resolved())
            # Since OpenAPI 3.1, keywords beside `$ref` apply as well. In 3.0 they are ignored.
            if node.document.joins_siblings:
                self._read_keywords(_without_reference(node))

    def set_nullable(self) -> None:
        """Decide whether `null` is allowed, from what all nodes say about it."""
        if self._null_is_allowed_separately:
            self.schema.nullable = True
        elif self._null_beside_types:
            self.schema.nullable = all(self._null_beside_types)
        elif self.schema.unions:
            self.schema.nullable = False

    def read_multiples_of_one(self) -> None:
        """Read numbers that are multiples of 1 as integers, and drop `multipleOf: 1`."""
        schema = self.schema
        multiples = schema.restrictions.get("multipleOf", ())
        if not schema.types or "1" not in multiples:
            return
        if "number" in schema.types:
            schema.types = schema.types - {"number"} | {"integer"}
        other_multiples = tuple(text for text in multiples if text != "1")
        if other_multiples:
            schema.restrictions["multipleOf"] = other_multiples
        else:
            del schema.restrictions["multipleOf"]

    def remove_ineffective_values(self) -> None:
        """Remove `enum: [true, false]` from booleans, which have no other values."""
        values = self.schema.values
        if (
            self.schema.types == _BOOLEAN
            and values is not None
            and values.keys() >= _BOOLEAN_VALUES
        ):
            self.schema.values = None

    def add_undescribed_properties(self) -> None:
        """Add required properties without a schema. Their values can be anything."""
        undescribed = self.schema.required - self.schema.properties.keys()
        for name in sorted(undescribed):
            node = self.schema.node.child("required", name)
            self.schema.properties[name] = (replace(node, value={}),)

    def _reject_everything(self) -> None:
        self.schema.types = frozenset({NEVER})
        self.schema.rejects_everything = True

    def _read_keywords(self, written_node: Node) -> None:
        node = _with_lists(written_node)
        if DANGLING in node.value:
            self.schema.unresolved_references |= {node.value[DANGLING]}
        node = _without_ineffective_keywords(node)
        self._read_all_of(node)
        self._read_unions(node)
        self._read_types(node)
        self._read_values(node)
        self._read_limits(node)
        self._read_restrictions(node)
        self._read_object(node)
        self._read_subschemas(node)

    def _read_all_of(self, node: Node) -> None:
        branches = list(node.elements("allOf"))
        self.schema.all_of_branches += branches
        self._queue += branches

    def _read_unions(self, node: Node) -> None:
        for keyword in _UNIONS:
            branches = list(node.elements(keyword))
            # A branch that accepts nothing adds nothing.
            possible = [branch for branch in branches if branch.value is not False]
            proper = [branch for branch in possible if not _is_null(branch)]
            if any(_accepts_null(branch) for branch in possible):
                self._null_is_allowed_separately = True
            if branches and not proper:
                self.schema.types = _common_types(self.schema.types, frozenset({NEVER}))
            self._read_union(keyword, proper)

        discriminator = node.child("discriminator")
        if is_mapping(discriminator.value):
            self.schema.discriminator = discriminator

    def _read_union(self, keyword: str, branches: list[Node]) -> None:
        if not branches:
            return
        if len(branches) == 1:
            # A union of one schema means the same as that schema.
            self._queue.appendleft(branches[0])
            return
        types = _types_of_plain_union(keyword, branches)
        if types:
            self.schema.types = _common_types(self.schema.types, types)
            self.schema.is_type_union = True
            # A branch that is null is not among these.
            self._null_beside_types.append(False)
            return
        values = _values_of_plain_union(keyword, branches)
        if values is not None:
            self._read_listed_values(replace(branches[0], value={"enum": values}))
            return
        self._add_branches(self.schema.unions.setdefault(keyword, []), branches)

    def _add_branches(self, union: list[Node], branches: list[Node]) -> None:
        """Add branches to the union, each once, however many branches of an `allOf` repeat it."""
        if len(union) > MAXIMUM_BRANCHES:
            raise TooComplexError(
                f"{self.schema.node.location}: its unions have more than {MAXIMUM_BRANCHES:,}"
                " branches together: take some of them apart"
            )
        # The time grows with the square of the number, so a longer union is taken as it is.
        if len(branches) > MAXIMUM_BRANCHES:
            union += branches
            return
        # A branch repeated within one union counts once as well. Otherwise the number of branches
        # would depend on the order of the `allOf`.
        for branch in branches:
            if not any(_is_copy(branch, other_branch) for other_branch in union):
                union.append(branch)

    def _read_listed_values(self, node: Node) -> None:
        self._read_types(node)
        self._read_values(node)

    def _read_types(self, node: Node) -> None:
        declaration = _declared_types(node.value)
        allows_null = declaration.allows_null
        listed_values = node.value.get("enum")
        # In OpenAPI 3.0 `nullable` adds null to the enum. Since 3.1 the enum must list it.
        if is_list(listed_values) and node.document.joins_siblings:
            allows_null = allows_null and None in listed_values

        if declaration.types:
            self.schema.types = _common_types(self.schema.types, declaration.types)
            self._null_beside_types.append(allows_null)
        elif allows_null:
            self._null_is_allowed_separately = True

    def _read_values(self, node: Node) -> None:
        self._read_default(node)
        listed_values = _listed_values(node.value)
        if listed_values is None:
            return
        values = dict[str, Any]()
        for value in listed_values:
            if value is not None:
                values[self._canonical(value)] = value
        # A value has to be listed by every node.
        if self.schema.values is not None:
            values = {text: values[text] for text in values if text in self.schema.values}
        self.schema.values = values
        if "const" in node.value:
            self.schema.is_constant = True

    def _read_default(self, node: Node) -> None:
        if "default" in node.value and self.schema.default is None:
            self.schema.default = self._canonical(node.value["default"])

    def _read_limits(self, node: Node) -> None:
        """Keep the tighter of two limits."""
        for keyword, limit in _limits(node.value):
            current_limit = self.schema.limits.get(keyword, limit)
            if keyword in LOWER_LIMITS:
                self.schema.limits[keyword] = max(current_limit, limit)
            else:
                self.schema.limits[keyword] = min(current_limit, limit)

    def _read_restrictions(self, node: Node) -> None:
        for keyword in _RESTRICTIONS:
            value = node.value.get(keyword)
            if value in (None, False, ""):
                continue
            if keyword == "uniqueItems" and value is not True:
                continue
            text = value if isinstance(value, str) else self._canonical(value)
            self._add_restriction(keyword, text)

    def _add_restriction(self, keyword: str, text: str) -> None:
        if keyword == "format" and text in _REPLACED_FORMATS:
            keyword, text = _REPLACED_FORMATS[text]
        texts = {*self.schema.restrictions.get(keyword, ()), text}
        self.schema.restrictions[keyword] = tuple(sorted(texts))

    def _read_object(self, node: Node) -> None:
        schema = self.schema
        for flag in _FLAGS:
            if node.value.get(flag) is True:
                schema.flags.add(flag)
        schema.required.update(_texts_of(node, "required"))
        for name, property_node in node.members("properties"):
            schema.properties[name] = (*schema.properties.get(name, ()), property_node)

        for name, _ in node.members("dependentRequired"):
            names = schema.dependent_required.get(name, frozenset())
            required = _texts_of(node.child("dependentRequired"), name)
            schema.dependent_required[name] = names.union(required)

    def _read_subschemas(self, node: Node) -> None:
        # Most schemas have few of these keywords. Looking for each takes most of the time to read.
        for keyword in _SUBSCHEMAS:
            if keyword not in node.value:
                continue
            subschema = node.child(keyword)
            if keyword == "not" and subschema.value is not None and _allows_everything(subschema):
                self._reject_everything()
                continue
            if _has_effect(keyword, subschema):
                nodes = self.schema.subschemas.get(keyword, ())
                self.schema.subschemas[keyword] = (*nodes, subschema)
        for keyword in _SUBSCHEMA_GROUPS:
            if keyword not in node.value:
                continue
            subschemas = node.members(keyword)
            if keyword == "prefixItems":
                subschemas = node.children(keyword)
            for name, subschema in subschemas:
                group = self.schema.subschema_groups.setdefault(keyword, {})
                group[name] = (*group.get(name, ()), subschema)

    def _canonical(self, value: Any) -> str:
        try:
            return canonical(value)
        except RecursionError as error:
            raise TooComplexError(
                f"{self.schema.node.location}: a value is nested too deeply to be compared:"
                " flatten it, or take it out"
            ) from error


def _without_reference(node: Node) -> Node:
    """The keywords beside a `$ref`."""
    siblings = {key: value for key, value in node.value.items() if key != "$ref"}
    return replace(node, value=siblings)


def _with_lists(node: Node) -> Node:
    """The node with the lists that references stand for."""
    lists = {
        keyword: node.child(keyword).part().value
        for keyword in ("enum", "type")
        if is_mapping(node.value.get(keyword))
    }
    if not is_list(lists.get("enum", node.value.get("enum", []))):
        node.child("enum").part().skip_unless_empty("is not a list")
    return replace(node, value={**node.value, **lists}) if lists else node


def _without_ineffective_keywords(node: Node) -> Node:
    """The node without keywords that have no effect beside the others, or in another spelling."""
    keywords: dict[str, Any] = node.value
    changed = dict(keywords)
    # `if` selects one of the other two (JSON Schema 2020-12, section 10.2.2 of the core).
    if "if" not in keywords or keywords.keys().isdisjoint({"then", "else"}):
        for keyword in ("if", "then", "else"):
            changed.pop(keyword, None)
    # `minContains` is 1 by default (JSON Schema 2020-12, section 6.4.5 of the validation).
    if "contains" in keywords:
        changed.setdefault("minContains", 1)
        if changed["minContains"] == 0 and "maxContains" not in keywords:
            del changed["contains"], changed["minContains"]
    # Without other schemas of the object, both keywords mean the same.
    if "unevaluatedProperties" in keywords and keywords.keys().isdisjoint(_EVALUATING_KEYWORDS):
        changed.setdefault("additionalProperties", changed.pop("unevaluatedProperties"))
    # Replacing the value is rarely necessary, and costs time.
    return replace(node, value=changed) if changed.keys() != keywords.keys() else node


def _declared_types(keywords: dict[str, Any]) -> _TypeDeclaration:
    """The types that `type` names, or else those of the values of `enum` or `const`."""
    types = _named_types(keywords.get("type"))
    if not types:
        types = {_type_of(value) for value in _listed_values(keywords) or ()}
    if types == {"null"}:
        return _TypeDeclaration(frozenset({NEVER}), allows_null=True)

    allows_null = "null" in types or keywords.get("nullable") is True
    types.discard("null")
    # Every integer is a number (JSON Schema 2020-12, section 4.2.3).
    if "number" in types:
        types.discard("integer")
    return _TypeDeclaration(frozenset(types), allows_null)


def _named_types(written_type: Any) -> set[str]:
    if isinstance(written_type, str):
        return {written_type}
    return set(_texts(written_type))


def _listed_values(keywords: dict[str, Any]) -> list[Any] | None:
    """The value of `const`, or else the values of `enum`; None without either."""
    if "const" in keywords:
        return [keywords["const"]]
    values = keywords.get("enum")
    return values if is_list(values) else None


def _type_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return "integer"
    for python_type, type_name in _TYPE_NAMES:
        if isinstance(value, python_type):
            return type_name
    # A loader of YAML also returns dates, which are text in JSON.
    return "string"


def _common_types(types: frozenset[str], new_types: frozenset[str]) -> frozenset[str]:
    """The types that two nodes allow together; the first can be empty, which means all."""
    if not types:
        return new_types
    common = types & new_types
    # `number` and `integer` have the integers in common, although the names differ.
    either = types | new_types
    if "integer" in either and "number" in either:
        common |= {"integer"}
    return common or frozenset({NEVER})


def _is_null(branch: Node) -> bool:
    """Whether only `null` matches the branch of a union."""
    keywords = _plain_schema(branch).value
    if not is_mapping(keywords):
        return False
    if keywords.get("type") in ("null", ["null"]):
        return True
    return keywords.get("enum") == [None] or _listed_values(keywords) == [None]


def _accepts_null(branch: Node) -> bool:
    """Whether the branch of a union says itself that it accepts `null`."""
    schema = _plain_schema(branch)
    if _is_null(branch) or not is_mapping(schema.value):
        return _is_null(branch)
    listed_values = schema.value.get("enum")
    if is_list(listed_values) and schema.document.joins_siblings and None not in listed_values:
        return False
    return _declared_types(schema.value).allows_null


def _is_copy(branch: Node, other_branch: Node) -> bool:
    """Whether two branches are written alike and mean the same."""
    if branch.value != other_branch.value:
        return False
    # The same relative reference means something else in another file.
    return branch.file == other_branch.file or branch.reference is None


def _types_of_plain_union(keyword: str, branches: list[Node]) -> frozenset[str]:
    """The types of branches that have only a type each; empty if a branch has more than that."""
    types = set[str]()
    for branch in branches:
        keywords = _plain_schema(branch).value
        if not is_mapping(keywords) or _restricting_keywords(keywords) != _TYPE_KEYWORDS:
            return frozenset()
        names = _named_types(keywords["type"])
        if keywords.get("nullable") is True or len(names) != 1:
            return frozenset()
        types |= names
    # `oneOf` rejects a value that matches two branches, so overlapping types are no list of types.
    overlaps = len(types) < len(branches) or {"integer", "number"} <= types
    return frozenset() if overlaps and keyword == "oneOf" else frozenset(types)


def _values_of_plain_union(keyword: str, branches: list[Node]) -> list[Any] | None:
    """The values of branches that only list values; None if a branch does more than that.

    A union of constants means the same as an enum of their values.
    """
    values = list[Any]()
    for branch in branches:
        keywords = _plain_schema(branch).value
        if not is_mapping(keywords) or not _only_lists_values(keywords):
            return None
        values += _listed_values(keywords) or ()
    distinct_values = {canonical(value) for value in values}
    # `oneOf` rejects a value that matches two branches, so repeated values are no enum.
    if keyword == "oneOf" and len(distinct_values) < len(values):
        return None
    return values


def _plain_schema(branch: Node) -> Node:
    """The schema that a branch stands for, if references and an `allOf` only wrap it.

    A schema with other restricting keywords beside the reference or the `allOf` is no wrapper.
    """
    node: Node = branch
    visited = set[Node]()
    while node not in visited and is_mapping(node.value) and node.value.get("nullable") is not True:
        visited.add(node)
        others = _restricting_keywords(node.value) - {"$ref"}
        if node.reference is not None and not (others and node.document.joins_siblings):
            node = node.resolved()
            continue
        parts: list[Node] = [
            part for part in node.elements("allOf") if not _allows_everything(part)
        ]
        if others != _ALL_OF_ALONE or len(parts) != 1:
            break
        node = parts[0]
    return node


def _only_lists_values(keywords: dict[str, Any]) -> bool:
    """Whether a schema allows all the values that it lists, and no others."""
    values = _listed_values(keywords)
    if values is None or not _restricting_keywords(keywords) <= _VALUE_KEYWORDS:
        return False
    if keywords.get("nullable") is True or ("const" in keywords and "enum" in keywords):
        return False
    types = _named_types(keywords.get("type"))
    if "number" in types:
        types.add("integer")
    return not types or {_type_of(value) for value in values} <= types


def _restricting_keywords(keywords: dict[str, Any]) -> frozenset[str]:
    return _RESTRICTING_KEYWORDS & keywords.keys()


def _limits(keywords: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The limits by keyword; exclusive ones as numbers, the way OpenAPI 3.1 writes them."""
    limits = {key: keywords[key] for key in LOWER_LIMITS | UPPER_LIMITS if key in keywords}
    for inclusive, exclusive in EXCLUSIVE_LIMITS.items():
        # OpenAPI 3.0: `exclusiveMinimum: true` makes `minimum` exclusive.
        if limits.get(exclusive) is True and inclusive in limits:
            limits[exclusive] = limits.pop(inclusive)
    for keyword, limit in limits.items():
        if not _is_number(limit):
            continue
        if limit == 0 and keyword in _LIMITS_THAT_ZERO_DISABLES:
            continue
        yield keyword, limit


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # YAML has `.nan`, the one number that does not equal itself.
    return value == value  # noqa: PLR0124  # NaN differs from itself


def _has_effect(keyword: str, subschema: Node) -> bool:
    if not isinstance(subschema.value, dict | bool):
        subschema.skip_unless_empty("is not a schema")
        return False
    return keyword in _SIGNIFICANT_WHEN_EMPTY or not _allows_everything(subschema)


def _allows_everything(node: Node) -> bool:
    """Whether a schema allows every value, also through references and `allOf`."""
    pending = deque([node])
    visited = set[Node]()
    while pending:
        schema_node = pending.popleft()
        if schema_node in visited or schema_node.value is True:
            continue
        visited.add(schema_node)
        if not is_mapping(schema_node.value):
            return False
        if _restricting_keywords(schema_node.value) - {"$ref", "allOf"}:
            return False
        pending += schema_node.elements("allOf")
        if schema_node.reference is not None:
            pending.append(schema_node.resolved())
    return True


def _texts_of(node: Node, keyword: str) -> list[str]:
    """The texts in a list."""
    return [element.value for element in node.elements(keyword) if isinstance(element.value, str)]


def _texts(values: Any) -> list[str]:
    if not is_list(values):
        return []
    return [value for value in values if isinstance(value, str)]
