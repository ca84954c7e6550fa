"""Compiles the contract's schemas to validators, so that checking a response takes microseconds.

The keywords follow JSON Schema 2020-12 with two exceptions. `oneOf` is checked like `anyOf`:
data that matches two documented forms is no drift. `format` is an annotation and is not checked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from functools import partial
from types import NoneType
from typing import Any, TypeAlias

from .finding import ROOT, Finding, JsonPath

Schema: TypeAlias = Mapping[str, Any]
Predicate: TypeAlias = Callable[[Any], object]
"""Returns something true for valid data."""

MAXIMUM_FINDINGS = 100
"""Findings reported for one body. A response full of deviations must not fill the memory."""

UNDOCUMENTED_FIELD = "undocumented-field"
"""The one kind of finding that never prevents data from having a documented form."""


# Public interface: a schema becomes a `Validator`, which returns `Normalised` data.


def compile_schema(
    schema: Schema, schemas: Mapping[str, Schema], *, pointer: str = "", operation: str = ""
) -> "Validator":
    """Compile a schema and every schema it refers to.

    Args:
        schema: the schema, as in the contract.
        schemas: the contract's named schemas, which a `$ref` may refer to.
        pointer: the place of the schema in the spec, as a JSON pointer.
        operation: the operation that findings name. Empty for request data: there, an undocumented
            property name is no finding.
    """
    return _Compiler(schemas, operation).compile(schema, pointer)


@dataclass(frozen=True, slots=True)
class Normalised:
    """Data after validation, ready for a generated model."""

    data: Any = field(repr=False)
    """The data without optional parts that no model can store; the same object if unchanged."""
    misfit: Finding | None
    """Why no generated model can store the data; `None` if one can."""
    findings: list[Finding]
    """All deviations from the schema, including the misfit."""


class Validator:
    """One compiled schema. `compile_schema` creates it."""

    def __init__(self, schema: Schema, pointer: str, compiler: "_Compiler") -> None:
        self._pointer = pointer
        self._operation = compiler.operation
        # Registered before its parts are compiled, because a schema may contain itself.
        compiler.validators[pointer] = self

        self._checks = {data_type: [*_checks(schema, data_type)] for data_type in _TYPE_NAMES}
        self._branch_sets = [
            self._compile_branches(schema, keyword, compiler)
            for keyword in _BRANCH_RULES
            if keyword in schema
        ]
        self._members = self._compile_members(schema, compiler)
        self._items: Validator | None = None
        if "items" in schema:
            self._items = compiler.compile_part(schema["items"], pointer, "items")
        self.quick_checks = self._find_quick_checks()
        """By type of data: the one check that suffices, where one does. `normalise` is the rest."""

    def normalise(self, data: Any, path: JsonPath = ROOT) -> Normalised:
        """Validate data and remove the optional parts that no generated model can store.

        A scalar of the wrong type stays: a generated model stores it unchanged.

        Args:
            data: the result of `json.loads`.
            path: the place of the data, which findings start with.
        """
        findings: list[Finding] = []
        try:
            normalised = self._normalise(data, path, findings)
        except _MisfitError as error:
            return Normalised(data, error.finding, findings)
        return Normalised(normalised, None, findings)

    def _normalise(self, data: Any, path: JsonPath, findings: list[Finding]) -> Any:
        """Return the normalised data; raise `_MisfitError` if no model can store it."""
        data_type = data.__class__
        for check in self._checks[data_type]:
            if check.accepts(data):
                continue
            finding = self._report(check.deviation, data, path, findings)
            if check.is_fatal:
                raise _MisfitError(finding)
        for branch_set in self._branch_sets:
            data = self._normalise_branches(branch_set, data, path, findings)
        if data_type is dict and self._members is not None:
            return self._normalise_object(self._members, data, path, findings)
        if data_type is list and self._items is not None:
            return self._normalise_array(self._items, data, path, findings)
        return data

    def _normalise_object(
        self, members: "_Members", data: dict[str, Any], path: JsonPath, findings: list[Finding]
    ) -> dict[str, Any]:
        misfits = self._report_missing(members, data, path, findings)
        replacements: dict[str, Any] = {}
        for name, value in data.items():
            validator = members.properties.get(name, members.additional)
            if validator is None:
                self._report(_UNDOCUMENTED, data, JsonPath(path, name), findings)
                continue
            # Most properties are valid scalars: they need no path and no further call.
            accepts = validator.quick_checks.get(value.__class__)
            if accepts is not None and accepts(value):
                continue
            try:
                normalised = validator._normalise(value, JsonPath(path, name), findings)
            except _MisfitError as error:
                misfits[name] = error.finding
                continue
            if normalised is not value:
                replacements[name] = normalised

        if not misfits and not replacements:
            return data
        _require_all(members.required, misfits)
        return {
            name: replacements.get(name, value)
            for name, value in data.items()
            if name not in misfits
        }

    def _report_missing(
        self, members: "_Members", data: dict[str, Any], path: JsonPath, findings: list[Finding]
    ) -> dict[str, Finding]:
        """Report each required property that is missing; return the findings by name."""
        missing: dict[str, Finding] = {}
        for name in members.required:
            if name in data:
                continue
            validator = members.properties.get(name, self)
            missing[name] = validator._report(_MISSING, data, JsonPath(path, name), findings)
        return missing

    def _normalise_array(
        self, validator: "Validator", data: list[Any], path: JsonPath, findings: list[Finding]
    ) -> list[Any]:
        normalised: list[Any] = []
        is_changed = False
        for index, value in enumerate(data):
            accepts = validator.quick_checks.get(value.__class__)
            if accepts is not None and accepts(value):
                normalised.append(value)
                continue
            try:
                item = validator._normalise(value, JsonPath(path, index), findings)
            except _MisfitError:
                is_changed = True
                continue
            normalised.append(item)
            if item is not value:
                is_changed = True
        if is_changed:
            return normalised
        return data

    def _normalise_branches(
        self, branch_set: "_BranchSet", data: Any, path: JsonPath, findings: list[Finding]
    ) -> Any:
        """Normalise by the branch with the fewest findings.

        Data matches a branch if it deviates from it by undocumented property names alone.
        """
        matches: list[Normalised] = []
        for validator in branch_set.validators:
            candidate = validator.normalise(data, path)
            if _has_only_undocumented_fields(candidate.findings):
                matches.append(candidate)
        if not matches:
            raise _MisfitError(self._report(branch_set.deviation, data, path, findings))
        best_match = min(matches, key=_number_of_findings)
        room = MAXIMUM_FINDINGS - len(findings)
        findings.extend(best_match.findings[:room])
        return best_match.data

    def _report(
        self, deviation: "_Deviation", data: Any, path: JsonPath, findings: list[Finding]
    ) -> Finding:
        """Add a finding to the list and return it."""
        kind = deviation.kind
        rule = deviation.rule
        if data is None:
            kind = "null"
            rule = "response-{}-became-nullable"
        subject = "body" if path.parent is None else "property"
        finding = Finding(
            kind=kind,
            rule=rule.format(subject),
            operation=self._operation,
            pointer=self._pointer,
            path=str(path),
            expected=deviation.expected,
        )
        if len(findings) < MAXIMUM_FINDINGS:
            findings.append(finding)
        elif kind != UNDOCUMENTED_FIELD:
            # A full list must still show that the data matches no branch.
            findings[-1] = finding
        return finding

    def _compile_branches(
        self, schema: Schema, keyword: str, compiler: "_Compiler"
    ) -> "_BranchSet":
        validators = [
            compiler.compile_part(branch, self._pointer, keyword, index)
            for index, branch in enumerate(schema[keyword])
        ]
        deviation = _Deviation("undocumented-form", _BRANCH_RULES[keyword], "of a documented form")
        return _BranchSet(validators, deviation)

    def _compile_members(self, schema: Schema, compiler: "_Compiler") -> "_Members | None":
        """The properties of an object; `None` if the schema describes none."""
        properties = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        additional_schema = _additional_schema(schema, is_response=bool(self._operation))
        if not properties and not required and additional_schema == _ANY_DATA:
            return None
        additional: Validator | None = None
        if additional_schema is not None:
            additional = compiler.compile_part(
                additional_schema, self._pointer, "additionalProperties"
            )
        validators = {
            name: compiler.compile_part(child, self._pointer, "properties", name)
            for name, child in properties.items()
        }
        return _Members(validators, required, additional)

    def _find_quick_checks(self) -> dict[type, Predicate]:
        if self._branch_sets:
            return {}
        quick_checks: dict[type, Predicate] = {}
        for data_type, checks in self._checks.items():
            if data_type is dict and self._members is not None:
                continue
            if data_type is list and self._items is not None:
                continue
            if not checks:
                quick_checks[data_type] = _anything
            elif len(checks) == 1:
                quick_checks[data_type] = checks[0].accepts
        return quick_checks


class _MisfitError(Exception):
    """No generated model can store the data. An optional part that raises it is removed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.kind)
        self.finding = finding


def _require_all(required: list[str], misfits: Mapping[str, Finding]) -> None:
    """Raise `_MisfitError` for the first required property that is a misfit."""
    for name in required:
        if name in misfits:
            raise _MisfitError(misfits[name])


@dataclass(frozen=True, slots=True)
class _Deviation:
    """The part of a finding that depends on the schema alone."""

    kind: str
    rule: str
    """The check id of oasdiff, with `{}` for `body` or `property`."""
    expected: str


@dataclass(frozen=True, slots=True)
class _Check:
    """One keyword of a schema, for data of one type."""

    accepts: Predicate
    deviation: _Deviation
    is_fatal: bool
    """Whether no generated model can store data that fails this check."""


@dataclass(frozen=True, slots=True)
class _BranchSet:
    """The branches of one `anyOf` or `oneOf`."""

    validators: list[Validator]
    deviation: _Deviation
    """Reported for data that matches no branch."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The properties that an object has, may have and must have."""

    properties: Mapping[str, Validator]
    required: list[str]
    additional: Validator | None
    """For every other name; `None` if the spec documents no other name."""


class _Compiler:
    """Compiles the schemas of one body or argument, each of them once."""

    def __init__(self, schemas: Mapping[str, Schema], operation: str) -> None:
        self.schemas = schemas
        self.operation = operation
        self.validators: dict[str, Validator] = {}
        """By place in the spec."""

    def compile(self, schema: Schema, pointer: str) -> Validator:
        """The validator of a schema, or of the one it refers to."""
        if "$ref" in schema:
            name: str = schema["$ref"].removeprefix("#/schemas/")
            schema = self.schemas[name]
            # Generation names a schema outside of `components` by its pointer.
            pointer = name if name.startswith("/") else f"/components/schemas/{name}"
        if pointer in self.validators:
            return self.validators[pointer]
        return Validator(schema, pointer, self)

    def compile_part(self, schema: Schema, pointer: str, *steps: str | int) -> Validator:
        """The validator of a part of the schema at a pointer."""
        # RFC 6901, section 3: `~` and `/` are escaped.
        escaped_steps = [str(step).replace("~", "~0").replace("/", "~1") for step in steps]
        return self.compile(schema, "/".join([pointer, *escaped_steps]))


# Checks by keyword.

_TYPE_NAMES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    NoneType: "null",
    dict: "object",
    list: "array",
}
"""The JSON Schema type of each type that `json.loads` returns."""

_CONTAINERS = frozenset({dict, list})

_BRANCH_RULES = {
    "anyOf": "response-{}-any-of-added",
    "oneOf": "response-{}-one-of-added",
}
_MISSING = _Deviation("missing", "response-property-became-optional", "there")
_UNDOCUMENTED = _Deviation(
    UNDOCUMENTED_FIELD, "response-optional-property-added", "a documented property"
)


_ANY_DATA: Schema = {}
"""The schema that accepts everything."""


def _additional_schema(schema: Schema, *, is_response: bool) -> Schema | None:
    """The schema of properties without one of their own; `None` if no other name is documented."""
    additional: Schema | bool = True
    if "additionalProperties" in schema:
        additional = schema["additionalProperties"]
    elif is_response and schema.get("properties"):
        # JSON Schema would allow any name. In a response, a new name is drift worth reporting.
        additional = False
    if additional is True:
        return _ANY_DATA
    if additional is False:
        return None
    return additional


def _checks(schema: Schema, data_type: type) -> Iterator[_Check]:
    """The checks that data of this type must pass, in the order in which they are reported."""
    type_names = _documented_types(schema)
    if type_names and not _is_type_documented(data_type, type_names):
        yield _type_check(schema, data_type, type_names)
    if "enum" in schema:
        yield _enum_check(schema, data_type)
    for keyword in _LIMITS:
        if keyword.name in schema and data_type in keyword.types:
            yield _limit_check(schema, keyword)


def _documented_types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    if isinstance(types, str):
        return [types]
    return list(types)


def _is_type_documented(data_type: type, type_names: list[str]) -> bool:
    if data_type is int and "number" in type_names:
        return True
    return _TYPE_NAMES[data_type] in type_names


def _type_check(schema: Schema, data_type: type, type_names: list[str]) -> _Check:
    """The check of a type that `type` does not list."""
    accepts: Predicate = _nothing
    if data_type is float and "integer" in type_names:
        # 1.0 is an integer (JSON Schema 2020-12, Core, section 4.2.1).
        accepts = float.is_integer
    expected = f"of type {', '.join(type_names)}"
    deviation = _Deviation("wrong-type", "response-{}-type-changed", expected)
    return _Check(accepts, deviation, _is_type_fatal(schema, data_type, type_names))


def _is_type_fatal(schema: Schema, data_type: type, type_names: list[str]) -> bool:
    """Whether a generated model fails for a value of a wrong type; it stores most scalars as is."""
    if data_type is NoneType or data_type in _CONTAINERS:
        return True
    # A model parses what it expects to be an enum, an object or an array.
    return "enum" in schema or "object" in type_names or "array" in type_names


def _enum_check(schema: Schema, data_type: type) -> _Check:
    """The check of documented values; generation ensures that they are scalars."""
    examples = ", ".join(map(str, schema["enum"][:5]))
    deviation = _Deviation(
        "unknown-enum-value",
        "response-property-enum-value-added",
        f"a documented value, such as {examples}",
    )
    is_bool = data_type is bool
    # In Python `1 == True`, in JSON they differ.
    values = frozenset(value for value in schema["enum"] if isinstance(value, bool) == is_bool)
    accepts: Predicate = values.__contains__
    if data_type in _CONTAINERS:
        accepts = _nothing
    # Generated enums are open: they take any value but null.
    return _Check(accepts, deviation, is_fatal=data_type is NoneType)


@dataclass(frozen=True, slots=True)
class _Limit:
    """A keyword that limits a value (JSON Schema 2020-12, Validation, section 6)."""

    name: str
    types: frozenset[type]
    """The types of data it applies to; other data always passes."""
    is_valid: Callable[[Any, Any], object]
    """Tests data, its second argument, against the value of the keyword, its first."""
    rule: str
    """As in `_Deviation`."""


def _limit_check(schema: Schema, keyword: _Limit) -> _Check:
    limit = schema[keyword.name]
    expected = f"in keeping with {keyword.name} {limit}"
    if keyword is _SENDABLE_TEXT:
        expected = schema["x-expected"]
    deviation = _Deviation("out-of-bounds", keyword.rule, expected)
    if isinstance(limit, str):
        # Patterns are the only limits that are text. They are compiled once, not at each check.
        limit = re.compile(limit)
    return _Check(partial(keyword.is_valid, limit), deviation, is_fatal=False)


def _anything(data: object) -> bool:
    return True


def _nothing(data: object) -> bool:
    return False


def _is_at_least(limit: float, number: float) -> bool:
    return number >= limit


def _is_at_most(limit: float, number: float) -> bool:
    return number <= limit


def _is_above(limit: float, number: float) -> bool:
    return number > limit


def _is_below(limit: float, number: float) -> bool:
    return number < limit


def _has_minimum_size(limit: int, data: Sized) -> bool:
    return len(data) >= limit


def _has_maximum_size(limit: int, data: Sized) -> bool:
    return len(data) <= limit


def _contains_pattern(pattern: re.Pattern[str], text: str) -> object:
    # JSON Schema patterns are not anchored (2020-12, Core, section 6.4).
    return pattern.search(text)


def _matches_pattern(pattern: re.Pattern[str], text: str) -> object:
    return pattern.fullmatch(text)


_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})
_ARRAYS = frozenset({list})

_SENDABLE_TEXT = _Limit("x-text", _TEXT, _matches_pattern, "")
"""An extension that generation adds to arguments: the text that a path or header can carry."""

# The rules are oasdiff's. It has no rule for `maxItems`, so that one is a more general type.
_LIMITS = (
    _Limit("minimum", _NUMBERS, _is_at_least, "response-{}-min-decreased"),
    _Limit("maximum", _NUMBERS, _is_at_most, "response-{}-max-increased"),
    _Limit("exclusiveMinimum", _NUMBERS, _is_above, "response-{}-exclusive-min-decreased"),
    _Limit("exclusiveMaximum", _NUMBERS, _is_below, "response-{}-exclusive-max-increased"),
    _Limit("minLength", _TEXT, _has_minimum_size, "response-{}-min-length-decreased"),
    _Limit("maxLength", _TEXT, _has_maximum_size, "response-{}-max-length-increased"),
    _Limit("minItems", _ARRAYS, _has_minimum_size, "response-{}-min-items-decreased"),
    _Limit("maxItems", _ARRAYS, _has_maximum_size, "response-{}-type-generalized"),
    _Limit("pattern", _TEXT, _contains_pattern, "response-property-pattern-changed"),
    _SENDABLE_TEXT,
)


def _has_only_undocumented_fields(findings: list[Finding]) -> bool:
    return all(finding.kind == UNDOCUMENTED_FIELD for finding in findings)


def _number_of_findings(candidate: Normalised) -> int:
    return len(candidate.findings)
