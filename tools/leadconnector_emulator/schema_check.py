"""Compares JSON data with a schema of the spec, and names each deviation as `specdrift` does.

A validator of JSON Schema says that data is invalid. This module says which change to the spec
would allow the data, so that the result can be compared with that of `specdrift`. It follows the
structure of the schema itself: properties, items, `allOf`, `anyOf` and `oneOf`. The keywords of a
single schema are left to the validator.

Exceptions from JSON Schema 2020-12, which are those of the client:

- A property that the schema does not describe is a finding, unless the schema allows it with
  `additionalProperties` or describes no property at all.
- `oneOf` is checked like `anyOf`: data that matches two documented forms is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .document import Document
from .finding import ROOT, Direction, Finding, JsonPath
from .schema import CompiledSchema, JsonObject

MAXIMUM_FINDINGS = 100
"""Findings of one body. A body full of deviations must not fill the memory."""

UNDOCUMENTED_FIELD = "undocumented-field"
"""The kind of finding that does not prevent data from matching a branch of a union."""

GAPS = frozenset({"missing", "null"})
"""The kinds of findings for a property without a value."""

UNIONS = ("anyOf", "oneOf")

_STRUCTURE = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "properties", "required", "items", "additionalProperties"}
)
"""The keywords that this module follows itself."""

_ACTIONS: Mapping[str, str] = {
    "enum": "enum-value-added",
    "const": "const-changed",
    "minimum": "min-decreased",
    "maximum": "max-increased",
    "exclusiveMinimum": "exclusive-min-decreased",
    "exclusiveMaximum": "exclusive-max-increased",
    "minLength": "min-length-decreased",
    "maxLength": "max-length-increased",
    "minItems": "min-items-decreased",
    "maxItems": "max-items-increased",
    "minProperties": "min-properties-decreased",
    "maxProperties": "max-properties-increased",
    "minContains": "min-contains-decreased",
    "maxContains": "max-contains-increased",
    "pattern": "pattern-changed",
    "multipleOf": "multiple-of-changed",
    "uniqueItems": "unique-items-unset",
    "dependentRequired": "dependent-required-removed",
    "prefixItems": "prefix-items-removed",
}
"""The end of the check id for each keyword. Any other keyword is a restriction that is removed."""

_KINDS: Mapping[str, str] = {"enum": "unknown-enum-value", "const": "unknown-enum-value"}
"""The kind of a finding by keyword; `out-of-bounds` for any other."""

_TYPE_NAMES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "array",
}
"""The JSON Schema type of each type that `json.loads` returns."""


@dataclass(frozen=True)
class Place:
    """Where in an exchange the data is, as far as check ids depend on it."""

    operation: str
    direction: Direction
    part: str = "body"
    """`body`, `parameter` or `header`."""

    @property
    def is_text(self) -> bool:
        """Whether values of every type are written as text, so that a string accepts all."""
        return self.part != "body"

    def name(self, path: JsonPath) -> str:
        """The place in a check id, such as `request-body`, or `response-property` below a body."""
        if not self._is_nested(path):
            return f"{self.direction}-{self.part}"
        if self.part == "body":
            return f"{self.direction}-property"
        return f"{self.direction}-{self.part}-property"

    def _is_nested(self, path: JsonPath) -> bool:
        if self.part == "body":
            return path.parent is not None
        # The elements of a list are the values of a parameter.
        node = path
        while node.parent is not None:
            if isinstance(node.step, str):
                return True
            node = node.parent
        return False


@dataclass(frozen=True)
class _Part:
    """A schema without `$ref` and `allOf`: itself, or a branch of its `allOf`."""

    schema: JsonObject
    pointer: str


class SchemaCheck:
    """Compares data with the schemas of one document.

    Args:
        document: the document; its references must have targets.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        # By pointer. The document's own cache has no place for these: the keywords are a copy.
        self._keyword_schemas: dict[str, CompiledSchema] = {}

    def findings(
        self, schema: Any, pointer: str, data: Any, place: Place, root: JsonPath = ROOT
    ) -> list[Finding]:
        """The deviations of data from a schema, at most `MAXIMUM_FINDINGS`.

        Args:
            schema: the schema, as in the document.
            pointer: its place in the document, as a JSON pointer.
            data: the data, as `json.loads` returns it.
            place: where in the exchange the data is.
            root: the name of the data in a finding.

        Raises:
            RecursionError: the data is nested too deeply.
            UnicodeEncodeError: the data contains half of a surrogate pair.
        """
        check = _DataCheck(self, place)
        found_deviations = check.walk(schema, pointer, data, root)
        return found_deviations[:MAXIMUM_FINDINGS]

    def parts(self, schema: Any, pointer: str) -> list[_Part]:
        """A schema with its references followed, and the branches of its `allOf`."""
        if isinstance(schema, dict) and "$ref" in schema:
            reference = cast("JsonObject", schema)
            target_pointer = str(reference["$ref"]).removeprefix("#")
            target_parts = self.parts(self._document.node_at(target_pointer), target_pointer)
            siblings = {key: child for key, child in reference.items() if key != "$ref"}
            if not siblings:
                return target_parts
            return [*target_parts, *self.parts(siblings, pointer)]
        resolved: JsonObject = self._document.resolve(schema)
        parts = [_Part(resolved, pointer)]
        for index, branch in enumerate(resolved.get("allOf", [])):
            parts += self.parts(branch, f"{pointer}/allOf/{index}")
        return parts

    def invalid_keywords(self, part: _Part, data: Any) -> list[str]:
        """The keywords of a single schema that data violates, without its structure."""
        keywords = {key: value for key, value in part.schema.items() if key not in _STRUCTURE}
        if not keywords:
            return []
        return self._keyword_schema(part.pointer, keywords).invalid_keywords(data)

    def _keyword_schema(self, pointer: str, keywords: JsonObject) -> CompiledSchema:
        compiled = self._keyword_schemas.get(pointer)
        if compiled is None:
            self_contained = self._document.references.self_contained
            compiled = CompiledSchema(_with_null(keywords), self_contained)
            compiled = self._keyword_schemas.setdefault(pointer, compiled)
        return compiled


class _DataCheck:
    """Compares one piece of data, and collects the findings."""

    def __init__(self, schemas: SchemaCheck, place: Place) -> None:
        self._schemas = schemas
        self._place = place

    def walk(
        self,
        schema: Any,
        pointer: str,
        data: Any,
        path: JsonPath,
        described_names: frozenset[str] = frozenset(),
    ) -> list[Finding]:
        """The deviations of data from a schema.

        Args:
            schema: the schema.
            pointer: its place in the document.
            data: the data.
            path: its place in the exchange.
            described_names: properties that the schema around a union describes.
        """
        findings: list[Finding] = []
        parts = self._schemas.parts(schema, pointer)
        for part in parts:
            own_findings = self._keyword_findings(part, data, path)
            findings += own_findings
            if any(finding.kind in {"wrong-type", "null"} for finding in own_findings):
                # What the other keywords say about data of another type is no news.
                return findings

        names = described_names.union(*(part.schema.get("properties", {}) for part in parts))
        for part in parts:
            for keyword in UNIONS:
                if keyword in part.schema:
                    union = _Union(part.schema[keyword], f"{part.pointer}/{keyword}", keyword)
                    match = self._union_match(union, data, path, names)
                    findings += match.findings
                    names |= match.names
        if isinstance(data, dict):
            findings += self._object_findings(parts, cast("JsonObject", data), path, names)
        elif isinstance(data, list):
            findings += self._array_findings(parts, cast("list[object]", data), path)
        return findings

    def described_names(self, schema: Any, pointer: str) -> frozenset[str]:
        """The properties that a schema describes, without those of its unions."""
        names: set[str] = set()
        for part in self._schemas.parts(schema, pointer):
            names |= part.schema.get("properties", {}).keys()
        return frozenset(names)

    # The keywords of one schema

    def _keyword_findings(self, part: _Part, data: Any, path: JsonPath) -> list[Finding]:
        keywords = list(dict.fromkeys(self._schemas.invalid_keywords(part, data)))
        if not keywords:
            return []
        if data is None and not _allows_null(part.schema):
            # Whatever keyword null violates, the spec would allow it by the same change.
            return [self._finding("null", "became-nullable", part, path, _expected_type(part))]
        if "type" in keywords:
            action = self._type_action(part.schema, data)
            return [self._finding("wrong-type", action, part, path, _expected_type(part))]
        return [self._keyword_finding(keyword, part, path) for keyword in keywords]

    def _keyword_finding(self, keyword: str, part: _Part, path: JsonPath) -> Finding:
        value = part.schema.get(keyword)
        if keyword == "format":
            # `specdrift` counts the format as a part of the type.
            is_request = self._place.direction == Direction.REQUEST
            action = "type-generalized" if is_request else "type-changed"
            return self._finding("wrong-type", action, part, path, f"of format {value}")
        action = _ACTIONS.get(keyword, f"{_dashed(keyword)}-removed")
        kind = _KINDS.get(keyword, "out-of-bounds")
        return self._finding(kind, action, part, path, _expected_value(keyword, value))

    def _type_action(self, schema: JsonObject, data: Any) -> str:
        types = _types(schema)
        # Every integer is a number, so that `number` allows both.
        if types == ["integer"] and isinstance(data, float):
            return "type-generalized"
        is_request = self._place.direction == Direction.REQUEST
        is_single_value = not {"array", "object"} & set(types)
        if self._place.is_text and is_request and is_single_value:
            # A string accepts the written form of every other type.
            return "type-generalized"
        return "type-changed"

    # Objects and arrays

    def _object_findings(
        self, parts: list[_Part], data: JsonObject, path: JsonPath, names: frozenset[str]
    ) -> list[Finding]:
        findings: list[Finding] = []
        for part in parts:
            findings += self._missing_findings(part, data, path)
            for name, child in part.schema.get("properties", {}).items():
                if name in data:
                    pointer = _below(part.pointer, "properties", name)
                    findings += self.walk(child, pointer, data[name], JsonPath(path, name))
        for name, value in data.items():
            if name not in names:
                findings += self._additional_findings(parts, name, value, path)
        return findings

    def _missing_findings(self, part: _Part, data: JsonObject, path: JsonPath) -> list[Finding]:
        # OpenAPI 3.1, section 4.8.24: a required property that is read-only is required in
        # responses only, and one that is write-only in requests only.
        is_request = self._place.direction == Direction.REQUEST
        unsent_flag = "readOnly" if is_request else "writeOnly"
        properties: JsonObject = part.schema.get("properties", {})
        findings: list[Finding] = []
        for name in part.schema.get("required", []):
            if name in data:
                continue
            pointer = part.pointer
            if name in properties:
                pointer = _below(part.pointer, "properties", name)
                schemas = self._schemas.parts(properties[name], pointer)
                if any(schema.schema.get(unsent_flag) for schema in schemas):
                    continue
                pointer = schemas[0].pointer
            owner = _Part(part.schema, pointer)
            findings.append(
                self._finding("missing", "became-optional", owner, JsonPath(path, name), "there")
            )
        return findings

    def _additional_findings(
        self, parts: list[_Part], name: str, value: Any, path: JsonPath
    ) -> list[Finding]:
        """The findings of a property that no schema describes by its name."""
        child_path = JsonPath(path, name)
        describes_properties = False
        for part in parts:
            if _matches_pattern(part.schema, name):
                return []
            if "additionalProperties" in part.schema:
                additional = part.schema["additionalProperties"]
                if additional is not False:
                    pointer = f"{part.pointer}/additionalProperties"
                    return self.walk(additional, pointer, value, child_path)
                describes_properties = True
            if part.schema.get("properties") or any(key in part.schema for key in UNIONS):
                describes_properties = True
        if not describes_properties:
            return []
        rule = "response-optional-property-added"
        if self._place.direction == Direction.REQUEST:
            rule = f"new-optional-{self._place.name(child_path)}"
        pointer = next(part.pointer for part in parts if not _is_reference_only(part))
        return [
            Finding(
                kind=UNDOCUMENTED_FIELD,
                rule=rule,
                operation=self._place.operation,
                pointer=pointer,
                path=str(child_path),
                expected="a documented property",
                direction=self._place.direction,
            )
        ]

    def _array_findings(
        self, parts: list[_Part], data: list[object], path: JsonPath
    ) -> list[Finding]:
        findings: list[Finding] = []
        for part in parts:
            if "items" not in part.schema:
                continue
            # The validator checks the leading items.
            start = len(part.schema.get("prefixItems", []))
            for index, item in enumerate(data[start:], start=start):
                pointer = f"{part.pointer}/items"
                item_path = JsonPath(path, index)
                findings += self.walk(part.schema["items"], pointer, item, item_path)
                if len(findings) >= MAXIMUM_FINDINGS:
                    return findings
        return findings

    # Unions

    def _union_match(
        self, union: _Union, data: Any, path: JsonPath, names: frozenset[str]
    ) -> _UnionMatch:
        """The branch that data matches best."""
        branches = list(union.branches_without_null())
        if data is None and len(branches) < len(union.branches):
            return _UnionMatch([], frozenset())
        matches: list[_UnionMatch] = []
        for pointer, branch in branches:
            branch_names = self.described_names(branch, pointer)
            findings = self.walk(branch, pointer, data, path, names | branch_names)
            matches.append(_UnionMatch(findings, branch_names))
        if len(matches) == 1:
            # A type or null is no union: `specdrift` reads it as a nullable type.
            return matches[0]
        best_match = min(matches, key=_UnionMatch.rank, default=None)
        if best_match is not None and best_match.is_close:
            return best_match
        part = _Part({}, union.pointer.rpartition("/")[0])
        if data is None:
            finding = self._finding("null", "became-nullable", part, path, "of a documented form")
        else:
            action = f"{_dashed(union.keyword)}-added"
            finding = self._finding("undocumented-form", action, part, path, "of a documented form")
        return _UnionMatch([finding], frozenset())

    def _finding(
        self, kind: str, action: str, part: _Part, path: JsonPath, expected: str
    ) -> Finding:
        name = self._place.name(path)
        if name == "response-body" and action.startswith("enum-value-"):
            # The check id of oasdiff for a body that is one value.
            name = "response-mediatype"
        return Finding(
            kind=kind,
            rule=f"{name}-{action}",
            operation=self._place.operation,
            pointer=part.pointer,
            path=str(path),
            expected=expected,
            direction=self._place.direction,
        )


@dataclass(frozen=True)
class _Union:
    """The branches of one `anyOf` or `oneOf`."""

    branches: list[Any]
    pointer: str
    keyword: str

    def branches_without_null(self) -> Iterator[tuple[str, Any]]:
        """The branches with their pointers, except those that only allow null."""
        for index, branch in enumerate(self.branches):
            if branch != {"type": "null"}:
                yield f"{self.pointer}/{index}", branch


@dataclass(frozen=True)
class _UnionMatch:
    """Data compared with a branch of a union."""

    findings: list[Finding]
    names: frozenset[str]
    """The properties that the branch describes."""

    @property
    def is_close(self) -> bool:
        """Whether the data is of this form, but for undocumented properties and gaps."""
        kinds = {finding.kind for finding in self.findings}
        return kinds <= GAPS | {UNDOCUMENTED_FIELD}

    def rank(self) -> tuple[int, int]:
        """The smaller, the better the data matches."""
        serious_count = sum(finding.kind != UNDOCUMENTED_FIELD for finding in self.findings)
        return serious_count, len(self.findings)


def _types(schema: JsonObject) -> list[str]:
    """The types that a schema lists without null; empty if it allows all."""
    types = schema.get("type", [])
    if isinstance(types, str):
        types = [types]
    return [name for name in types if name != "null"]


def _allows_null(schema: JsonObject) -> bool:
    types = schema.get("type", [])
    # OpenAPI 3.0 has `nullable` in place of a type.
    return "null" in types or schema.get("nullable") is True


def _with_null(keywords: JsonObject) -> JsonObject:
    """The keywords with `nullable` of OpenAPI 3.0 as a type."""
    if keywords.get("nullable") is not True or "type" not in keywords:
        return keywords
    changed_keywords = {**keywords, "type": [*_types(keywords), "null"]}
    if "enum" in keywords:
        changed_keywords["enum"] = [*keywords["enum"], None]
    return changed_keywords


def _expected_type(part: _Part) -> str:
    types = _types(part.schema)
    if not types:
        return "a documented value"
    return f"of type {', '.join(types)}"


def _expected_value(keyword: str, value: Any) -> str:
    if keyword == "enum":
        examples = ", ".join(map(str, value[:5]))
        return f"a documented value, such as {examples}"
    if keyword == "const":
        return f"the documented value {value}"
    if isinstance(value, (str, int, float)):
        return f"valid for {keyword} {value}"
    return f"valid for {keyword}"


def _matches_pattern(schema: JsonObject, name: str) -> bool:
    """Whether `patternProperties` describes a property. The validator checks its value."""
    return any(re.search(pattern, name) for pattern in schema.get("patternProperties", {}))


def _is_reference_only(part: _Part) -> bool:
    """Whether a schema only combines others, so that it is no place for a property."""
    return "allOf" in part.schema and not part.schema.get("properties")


def _below(pointer: str, *steps: str) -> str:
    # RFC 6901, section 3: `~` and `/` are escaped.
    escaped_steps = [step.replace("~", "~0").replace("/", "~1") for step in steps]
    return "/".join([pointer, *escaped_steps])


def _dashed(keyword: str) -> str:
    """A keyword as in check ids, such as `any-of`."""
    return re.sub("([A-Z])", r"-\1", keyword).lower()
