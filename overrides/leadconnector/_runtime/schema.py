"""Compiles the contract's schemas to validators, so that checking a response takes microseconds.

The keywords follow JSON Schema 2020-12 with two exceptions. `oneOf` is checked like `anyOf`:
data that matches two documented forms is no drift. `format` is an annotation and is not checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .finding import ROOT, Finding, JsonPath
from .keywords import TYPE_NAMES, Check, Deviation, Predicate, Schema, anything, checks_of

MAXIMUM_FINDINGS = 100
"""Findings reported for one body. A response full of deviations must not fill the memory."""

UNDOCUMENTED_FIELD = "undocumented-field"
"""The one kind of finding that never prevents data from having a documented form."""

_MISSING = Deviation("missing", "response-property-became-optional", "there")
_UNDOCUMENTED = Deviation(
    UNDOCUMENTED_FIELD, "response-optional-property-added", "a documented property"
)


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

    def __init__(self, pointer: str, operation: str) -> None:
        self._pointer = pointer
        self._operation = operation
        self._checks: Mapping[type, list[Check]] = {}
        self._branch_sets: list[_BranchSet] = []
        self._members: _Members | None = None
        self._items: Validator | None = None
        self.quick_checks: Mapping[type, Predicate] = {}
        """By type of data: a check that replaces `normalise`. Types that need more are absent."""
        self._unrestricted_types: frozenset[type] = frozenset()

    def complete(
        self,
        checks: Mapping[type, list[Check]],
        branch_sets: "list[_BranchSet]",
        members: "_Members | None",
        items: "Validator | None",
    ) -> None:
        """Set the rules. A schema may contain itself, so its validator exists before its parts.

        Args:
            checks: the checks of each type of data.
            branch_sets: the branches of `anyOf` and `oneOf`.
            members: the properties of an object, if the schema describes any.
            items: the elements of an array, if the schema describes them.
        """
        self._checks = checks
        self._branch_sets = branch_sets
        self._members = members
        self._items = items
        self.quick_checks = self._find_quick_checks()
        self._unrestricted_types = frozenset(
            data_type for data_type, check in self.quick_checks.items() if check is anything
        )

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
            if value.__class__ in validator._unrestricted_types:
                continue
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
        # A required misfit makes the whole object a misfit. An optional one is removed.
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
                # No element of an array is required, so it is removed.
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
        self, deviation: Deviation, data: Any, path: JsonPath, findings: list[Finding]
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
                quick_checks[data_type] = anything
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


def _has_only_undocumented_fields(findings: list[Finding]) -> bool:
    return all(finding.kind == UNDOCUMENTED_FIELD for finding in findings)


def _number_of_findings(candidate: Normalised) -> int:
    return len(candidate.findings)


@dataclass(frozen=True, slots=True)
class _BranchSet:
    """The branches of one `anyOf` or `oneOf`."""

    validators: list[Validator]
    deviation: Deviation
    """Reported for data that matches no branch."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The properties that an object has, may have and must have."""

    properties: Mapping[str, Validator]
    required: list[str]
    additional: Validator | None
    """For every other name; `None` if the spec documents no other name."""


_BRANCH_RULES = {
    "anyOf": "response-{}-any-of-added",
    "oneOf": "response-{}-one-of-added",
}
"""The rule for data that matches no branch of a keyword."""

_ANY_DATA: Schema = {}
"""The schema that accepts everything."""


class _Compiler:
    """Compiles the schemas of one body or argument, each of them once."""

    def __init__(self, schemas: Mapping[str, Schema], operation: str) -> None:
        self._schemas = schemas
        self._operation = operation
        # By place in the spec.
        self._validators: dict[str, Validator] = {}

    def compile(self, schema: Schema, pointer: str) -> Validator:
        """The validator of a schema, or of the one it refers to."""
        if "$ref" in schema:
            name: str = schema["$ref"].removeprefix("#/schemas/")
            schema = self._schemas[name]
            # Generation names a schema outside of `components` by its pointer.
            pointer = name if name.startswith("/") else f"/components/schemas/{name}"
        if pointer in self._validators:
            return self._validators[pointer]
        validator = Validator(pointer, self._operation)
        self._validators[pointer] = validator
        validator.complete(
            checks={data_type: list(checks_of(schema, data_type)) for data_type in TYPE_NAMES},
            branch_sets=self._branch_sets(schema, pointer),
            members=self._members(schema, pointer),
            items=self._items(schema, pointer),
        )
        return validator

    def _branch_sets(self, schema: Schema, pointer: str) -> list[_BranchSet]:
        branch_sets: list[_BranchSet] = []
        for keyword, rule in _BRANCH_RULES.items():
            if keyword not in schema:
                continue
            validators = [
                self._compile_part(branch, pointer, keyword, str(index))
                for index, branch in enumerate(schema[keyword])
            ]
            deviation = Deviation("undocumented-form", rule, "of a documented form")
            branch_sets.append(_BranchSet(validators, deviation))
        return branch_sets

    def _members(self, schema: Schema, pointer: str) -> _Members | None:
        """The properties of an object; `None` if the schema describes none."""
        properties: Mapping[str, Schema] = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        additional_schema = _additional_schema(schema, is_response=bool(self._operation))
        if not properties and not required and additional_schema == _ANY_DATA:
            return None
        additional: Validator | None = None
        if additional_schema is not None:
            additional = self._compile_part(additional_schema, pointer, "additionalProperties")
        validators = {
            name: self._compile_part(child, pointer, "properties", name)
            for name, child in properties.items()
        }
        return _Members(validators, required, additional)

    def _items(self, schema: Schema, pointer: str) -> Validator | None:
        if "items" not in schema:
            return None
        return self._compile_part(schema["items"], pointer, "items")

    def _compile_part(self, schema: Schema, pointer: str, *steps: str) -> Validator:
        """The validator of a part of the schema at a pointer."""
        # RFC 6901, section 3: `~` and `/` are escaped.
        escaped_steps = [step.replace("~", "~0").replace("/", "~1") for step in steps]
        return self.compile(schema, "/".join([pointer, *escaped_steps]))


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
