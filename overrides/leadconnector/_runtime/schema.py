"""Compiles the contract's schemas to validators, so that checking a response takes microseconds.

Terms:

- The *spec* is the OpenAPI document. The *contract* contains the parts of it that the client needs
  at run time. Generation writes it.
- *Drift* is any deviation of a response from the spec. A `Finding` describes one deviation.
- A *misfit* is a finding that makes the data unusable: no generated model can store it.
- A *gap* is a property that the spec requires and the response lacks: it is missing or null. No
  generated model of a response requires a property, so a gap is a finding but no misfit.

Keywords have their meaning in JSON Schema 2020-12, with these exceptions:

- In a response, a property that the schema does not describe is a finding, unless the schema allows
  it with `additionalProperties` or describes no property at all.
- Such a finding alone does not make a branch of `anyOf` or `oneOf` invalid.
- If an object matches no branch, it matches the one with the fewest gaps, if gaps are all that is
  wrong.
- If other data matches no branch, it is compared with the one branch that can only be meant: the
  only one for its type, or the only object with its required properties or constants. Its
  deviations from that branch are the findings.
- A value that the `discriminator` of a union does not list is a finding in a response.
- `oneOf` is checked like `anyOf`: data that matches two documented forms is no drift.
- Keywords beside `$ref` are ignored.
- `pattern` is a regular expression of Python.
- `format` is an annotation, except for formats that generated models convert, such as dates.
- A request loses its read-only properties, and their values are not validated.
- In a request, an integer that is a float becomes an `int`: 1.0 is an integer in JSON, but a server
  that reads it from a URL expects `1`.

Generation prepares the schemas: it merges `allOf`, writes `const` as an `enum`, and lists the
read-only properties of an object. It moves read-only and write-only names from `required` to a
keyword of their direction. It rejects a spec with a restricting keyword that neither this module
nor `keywords` checks. Beside `$ref`, it allows annotations only. A named schema is never a `$ref`
itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from .._generated.types import UNSET, UnionBranch
from .finding import ROOT, Finding, JsonPath
from .keywords import (
    CONTAINERS,
    DATA_TYPES,
    Check,
    Deviation,
    Predicate,
    Schema,
    accept_all,
    checks_of,
    described_types,
    is_integer_schema,
)

MAXIMUM_FINDINGS = 100
"""Findings reported for one body. A response full of deviations must not fill the memory."""

UNDOCUMENTED_FIELD = "undocumented-field"
"""The one kind of finding that does not prevent data from matching a branch of `anyOf`."""

_COMPONENTS = "/components/schemas/"

_GAPS = frozenset({"missing", "null"})
"""The kinds of findings for a property without a value."""

_MISSING = Deviation("missing", "response-property-became-optional", "there")
_UNDOCUMENTED = Deviation(
    UNDOCUMENTED_FIELD, "response-optional-property-added", "a documented property"
)


def compile_schema(
    schema: Schema,
    schemas: Mapping[str, Schema],
    *,
    pointer: str = "",
    operation: str = "",
    is_response: bool = False,
) -> "Validator":
    """Compile a schema and every schema it refers to.

    Args:
        schema: the schema, as in the contract.
        schemas: the contract's named schemas, which a `$ref` may refer to.
        pointer: the place of the schema in the spec, as a JSON pointer.
        operation: the operation that findings name. It may be empty for a request, whose findings
            only supply the text of an error.
        is_response: whether the data is a response, in which an undocumented property is a finding.
            A request may contain any property, unless the schema forbids it.
    """
    return _Compiler(schemas, operation, is_response=is_response).compile(schema, pointer)


@dataclass(frozen=True, slots=True)
class Normalised:
    """Data after validation, ready for a generated model."""

    data: Any = field(repr=False)
    """The data without parts that no model can store; as received if there is a misfit.

    That of a request has no read-only properties, and its integers are an `int`.

    It is the same object if it is unchanged. In a response, each value of a union is a
    `UnionBranch`, which says what generated code makes of it.
    """
    misfit: Finding | None
    """Why no generated model can store the data; `None` if one can."""
    findings: list[Finding]
    """The deviations from the schema, at most `MAXIMUM_FINDINGS`.

    A full list may lack the misfit.
    """


class Validator:
    """One compiled schema. `compile_schema` creates it."""

    def __init__(self, pointer: str, operation: str) -> None:
        self.pointer = pointer
        """The place of the schema in the spec, as a JSON pointer."""
        self._operation = operation
        # `set_rules` sets all of the following.
        self._described_types: frozenset[type] = frozenset()
        self._values: frozenset[Any] | None = None
        self._checks: Mapping[type, list[Check]] = {}
        self._branch_sets: list[_BranchSet] = []
        self._members: _Members | None = None
        self._items: Validator | None = None
        self.quick_checks: Mapping[type, Predicate] = {}
        """By type of data: accepts data for which `normalise` would change and report nothing.

        Types of data that need more than one check are absent.
        """
        self._writes_integers = False
        # The types of data that are always valid.
        self._unrestricted_types: frozenset[type] = frozenset()

    def set_rules(
        self,
        schema: Schema,
        checks: Mapping[type, list[Check]],
        branch_sets: "list[_BranchSet]",
        members: "_Members | None",
        items: "Validator | None",
        *,
        writes_integers: bool,
    ) -> None:
        """Set the rules, once. A schema may contain itself: its validator exists before its parts.

        Args:
            schema: the schema.
            checks: the checks of each type of data.
            branch_sets: the branches of `anyOf` and `oneOf`.
            members: the properties of an object, if the schema describes any.
            items: the elements of an array, if the schema describes them.
            writes_integers: whether an integer that is a float becomes an `int`.
        """
        self._described_types = described_types(schema)
        self._values = frozenset(schema["enum"]) if "enum" in schema else None
        self._checks = checks
        self._writes_integers = writes_integers
        self._branch_sets = branch_sets
        self._members = members
        self._items = items
        self.quick_checks = self._quick_checks_by_type()
        self._unrestricted_types = frozenset(
            data_type for data_type, check in self.quick_checks.items() if check is accept_all
        )

    def normalise(self, data: Any, path: JsonPath = ROOT) -> Normalised:
        """Validate data and remove the parts that no generated model can store.

        Most scalars of a wrong type stay: see `Check.is_fatal`. The same applies in `anyOf` and
        `oneOf`, unless it is not known which branch is meant: see `_match_branches`.

        Args:
            data: a response as `json.loads` returns it, or the same types for a request.
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
        # The default is for `UNSET`, which `_fill_gaps` adds to the data of a branch.
        for check in self._checks.get(data_type, ()):
            if check.accepts(data):
                continue
            finding = self._report(check.deviation, path, findings, is_null=data is None)
            if check.is_fatal and not (check.tolerates and check.tolerates(data)):
                raise _MisfitError(finding)
        branch: UnionBranch | None = None
        for branch_set in self._branch_sets:
            data = self._match_branches(branch_set, data, path, findings)
            if isinstance(data, UnionBranch):
                branch = data
                data = branch.value
        if data_type is dict and self._members is not None:
            data = self._normalise_object(self._members, data, path, findings)
        elif data_type is list and self._items is not None:
            data = self._normalise_array(self._items, data, path, findings)
        elif data_type is float and self._writes_integers and data.is_integer():
            data = int(data)
        return data if branch is None else UnionBranch(branch.pointer, data)

    def _normalise_object(
        self, members: "_Members", data: dict[str, Any], path: JsonPath, findings: list[Finding]
    ) -> dict[str, Any]:
        if not members.read_only.isdisjoint(data):
            data = {name: value for name, value in data.items() if name not in members.read_only}
        self._report_missing(members, data, path, findings)
        misfits: dict[str, _MisfitError] = {}
        replacements: dict[str, Any] = {}
        for name, value in data.items():
            validator = members.properties.get(name, members.additional)
            if validator is None:
                self._report(_UNDOCUMENTED, JsonPath(path, name), findings)
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
                misfits[name] = error
                continue
            if normalised is not value:
                replacements[name] = normalised

        if not misfits and not replacements:
            return data
        # The object can be used without the misfits, so they are removed, required or not. An
        # exception would hide that the API reported success.
        return {
            name: replacements.get(name, value)
            for name, value in data.items()
            if name not in misfits
        }

    def _report_missing(
        self, members: "_Members", data: dict[str, Any], path: JsonPath, findings: list[Finding]
    ) -> None:
        """Report each required property that is missing."""
        for name in members.required:
            if name in data:
                continue
            # The validator of the property reports it, because a finding names the place of its
            # schema in the spec. A required name without a schema has the place of this object.
            validator = members.properties.get(name, self)
            validator._report(_MISSING, JsonPath(path, name), findings)

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

    def _match_branches(
        self, branch_set: "_BranchSet", data: Any, path: JsonPath, findings: list[Finding]
    ) -> Any:
        """Report the findings of the branch that is meant; raise `_MisfitError` if none is.

        That is the branch that matches best. If none matches, it can still be clear which one is
        meant. Otherwise, no model of a branch would be right, so the data is a misfit.

        Returns:
            The data as the generated code of the best branch reads it, marked with the branch.
        """
        best_candidate = _discriminated(branch_set, data, path)
        candidates: list[_Candidate] = []
        if best_candidate is None:
            candidates = [
                _Candidate(validator, validator.normalise(data, path))
                for validator in branch_set.validators
            ]
            best_candidate = _best_match(candidates)
        if best_candidate is None:
            best_candidate = _only_complete(candidates, data)
        if best_candidate is None:
            best_candidate = _match_with_gaps(candidates, data)
        if best_candidate is None:
            best_candidate = _only_possible(candidates, data)
        reported_paths: set[str] = set()
        if best_candidate is not None:
            for finding in best_candidate.normalised.findings:
                _add_finding(findings, finding)
                reported_paths.add(finding.path)
        self._report_discriminator(branch_set, data, path, findings, reported_paths)
        if best_candidate is None:
            finding = self._report(branch_set.deviation, path, findings, is_null=data is None)
            raise _MisfitError(finding)
        if best_candidate.normalised.misfit is not None:
            raise _MisfitError(best_candidate.normalised.misfit)
        data = best_candidate.filled_data()
        # The branch can be a union itself, and is marked then. Generated code has one list of all
        # branches.
        if not branch_set.is_marked or isinstance(data, UnionBranch):
            return data
        return UnionBranch(best_candidate.validator.pointer, data)

    def _report_discriminator(
        self,
        branch_set: "_BranchSet",
        data: Any,
        path: JsonPath,
        findings: list[Finding],
        reported_paths: set[str],
    ) -> None:
        """Report a value that the discriminator does not list.

        Args:
            branch_set: the branches.
            data: the data of the union.
            path: the place of the data.
            findings: the list.
            reported_paths: the places that have a finding. An enum can list the same values.
        """
        discriminator = branch_set.discriminator
        if discriminator is None or not discriminator.is_complete or data.__class__ is not dict:
            return
        value = data.get(discriminator.property_name)
        value_path = JsonPath(path, discriminator.property_name)
        if value.__class__ is not str or value in discriminator.documented_values:
            return
        if str(value_path) not in reported_paths:
            rule = discriminator.deviation.rule.format(_subject(path))
            self._add(discriminator.deviation, rule, value_path, findings)

    def can_hold(self, data_type: type) -> bool:
        """Whether the schema describes data of a type, valid or not."""
        return data_type in self._described_types and all(
            any(validator.can_hold(data_type) for validator in branch_set.validators)
            for branch_set in self._branch_sets
        )

    def requires_names(self) -> bool:
        """Whether the schema describes an object with required properties."""
        return self._members is not None and bool(self._members.required)

    def has_required_names(self, data: dict[str, Any]) -> bool:
        """Whether an object has all required properties."""
        if self._members is None:
            return True
        return all(name in data for name in self._members.required)

    def has_constants(self, data: dict[str, Any]) -> bool:
        """Whether the properties of an object have the value of those with one documented value."""
        return self._has_values(data, most=1)

    def has_documented_values(self, data: dict[str, Any]) -> bool:
        """Whether the properties of an object have documented values, where an enum lists them."""
        return self._has_values(data, most=None)

    def _has_values(self, data: dict[str, Any], most: int | None) -> bool:
        if self._members is None:
            return True
        for name, validator in self._members.properties.items():
            values = validator._values
            if values is None or name not in data or (most is not None and len(values) > most):
                continue
            if data[name].__class__ in CONTAINERS or data[name] not in values:
                return False
        return True

    def describes(self, data: Any) -> bool:
        """Whether at least one property of the data is in the schema. Other data always is."""
        if self._members is None or data.__class__ is not dict:
            return True
        return not self._members.properties.keys().isdisjoint(data)

    def fill_gaps(self, data: Any) -> Any:
        """Add each required property that is missing, as `UNSET`.

        Generated code selects the model of a union by these names. Any model accepts `UNSET`.
        """
        if self._members is None or data.__class__ is not dict:
            return data
        gaps = {name: UNSET for name in self._members.required if name not in data}
        return {**data, **gaps} if gaps else data

    def _report(
        self,
        deviation: Deviation,
        path: JsonPath,
        findings: list[Finding],
        *,
        is_null: bool = False,
    ) -> Finding:
        """Add a finding to the list and return it.

        Args:
            deviation: the deviation of the data from this schema.
            path: the place of the data.
            findings: the list.
            is_null: whether the invalid data is null.
        """
        kind = deviation.kind
        rule = deviation.rule
        if is_null:
            # Whatever keyword null violates, the spec would allow it by the same change.
            kind = "null"
            rule = "response-{}-became-nullable"
        deviation = Deviation(kind, rule, deviation.expected)
        return self._add(deviation, rule.format(_subject(path)), path, findings)

    def _add(
        self, deviation: Deviation, rule: str, path: JsonPath, findings: list[Finding]
    ) -> Finding:
        finding = Finding(
            kind=deviation.kind,
            rule=rule,
            operation=self._operation,
            pointer=self.pointer,
            path=str(path),
            expected=deviation.expected,
        )
        _add_finding(findings, finding)
        return finding

    def _quick_checks_by_type(self) -> dict[type, Predicate]:
        if self._branch_sets:
            return {}
        quick_checks: dict[type, Predicate] = {}
        for data_type, checks in self._checks.items():
            if data_type is dict and self._members is not None:
                continue
            if data_type is list and self._items is not None:
                continue
            if data_type is float and self._writes_integers:
                continue
            if not checks:
                quick_checks[data_type] = accept_all
            elif len(checks) == 1:
                quick_checks[data_type] = checks[0].accepts
        return quick_checks


def _add_finding(findings: list[Finding], finding: Finding) -> None:
    if len(findings) < MAXIMUM_FINDINGS:
        findings.append(finding)
    elif finding.kind != UNDOCUMENTED_FIELD:
        # `_match_branches` relies on this: a list has a finding of another kind than
        # `UNDOCUMENTED_FIELD` if there was any. So in a full list, the last finding gives way.
        findings[-1] = finding


def _subject(path: JsonPath) -> str:
    """What the rule of a finding calls the data at a place."""
    return "body" if path.parent is None else "property"


class _MisfitError(Exception):
    """No generated model can store the data. A part that raises it is removed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.kind)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A branch of `anyOf` or `oneOf`, and data as this branch normalises it."""

    validator: Validator
    normalised: Normalised

    def gaps(self) -> int:
        """How many required or null properties the data lacks."""
        return sum(finding.kind in _GAPS for finding in self.normalised.findings)

    def matches(self) -> bool:
        """Whether the data deviates from the branch by undocumented property names alone.

        This also excludes misfits: each misfit is a finding of another kind.
        """
        return all(finding.kind == UNDOCUMENTED_FIELD for finding in self.normalised.findings)

    def matches_with_gaps(self) -> bool:
        """Whether the data deviates from the branch by gaps and undocumented names alone."""
        if self.normalised.misfit is not None:
            return False
        accepted_kinds = _GAPS | {UNDOCUMENTED_FIELD}
        return all(finding.kind in accepted_kinds for finding in self.normalised.findings)

    def is_for_null(self) -> bool:
        """Whether the branch describes nothing but null."""
        data_types = (data_type for data_type in DATA_TYPES if data_type is not NoneType)
        return not any(map(self.validator.can_hold, data_types))

    def filled_data(self) -> Any:
        """The data as the generated code of this branch reads it."""
        return self.validator.fill_gaps(self.normalised.data)


def _discriminated(branch_set: "_BranchSet", data: Any, path: JsonPath) -> _Candidate | None:
    """The branch that a discriminator selects; `None` without one, or if no model can store it."""
    if branch_set.discriminator is None or data.__class__ is not dict:
        return None
    value = data.get(branch_set.discriminator.property_name)
    # A value that is no text may not be hashable.
    if value.__class__ is not str:
        return None
    validator = branch_set.discriminator.validators.get(value)
    if validator is None:
        return None
    candidate = _Candidate(validator, validator.normalise(data, path))
    return candidate if candidate.normalised.misfit is None else None


def _best_match(candidates: list[_Candidate]) -> _Candidate | None:
    """The branch that the data matches with the fewest findings; `None` if it matches none."""
    matches = [candidate for candidate in candidates if candidate.matches()]
    return min(matches, key=_number_of_findings, default=None)


def _match_with_gaps(candidates: list[_Candidate], data: Any) -> _Candidate | None:
    """The branch that the data matches with the fewest gaps; `None` if there is none.

    Data that could be of several branches must have a property of the branch. Otherwise nothing
    says which branch it is.
    """
    if data.__class__ not in CONTAINERS:
        return None
    possible = [candidate for candidate in candidates if candidate.normalised.misfit is None]
    is_ambiguous = len(possible) > 1
    matches: list[_Candidate] = []
    for candidate in possible:
        if not candidate.matches_with_gaps():
            continue
        if is_ambiguous and not candidate.validator.describes(data):
            continue
        matches.append(candidate)
    return min(matches, key=_gaps_and_findings, default=None)


def _only_complete(candidates: list[_Candidate], data: Any) -> _Candidate | None:
    """The only branch whose required properties an object has; `None` if there is none."""
    if data.__class__ is not dict:
        return None
    complete = [
        candidate
        for candidate in candidates
        if candidate.normalised.misfit is None and candidate.validator.has_required_names(data)
    ]
    if len(complete) == 1 and complete[0].validator.requires_names():
        return complete[0]
    return None


def _only_possible(candidates: list[_Candidate], data: Any) -> _Candidate | None:
    """The branch that data of no branch can only be meant for; `None` if it is not clear.

    No model can store the data if the branch has a misfit.
    """
    # `null` has a finding of its own.
    if data is None:
        return None
    possible = [
        candidate for candidate in candidates if candidate.validator.can_hold(data.__class__)
    ]
    if not possible:
        # A union of one type and null is a nullable type, as in `type: [string, "null"]`.
        possible = [candidate for candidate in candidates if not candidate.is_for_null()]
    if len(possible) == 1:
        return possible[0]
    if data.__class__ is not dict:
        return None
    possible = [candidate for candidate in possible if candidate.normalised.misfit is None]
    # Each condition excludes more branches than the one before. An open enum comes last, because
    # its new values say the least about the branch.
    for is_possible in (
        Validator.has_required_names,
        Validator.has_constants,
        Validator.has_documented_values,
    ):
        possible = [candidate for candidate in possible if is_possible(candidate.validator, data)]
        if len(possible) == 1:
            return possible[0]
    return None


def _number_of_findings(candidate: _Candidate) -> int:
    return len(candidate.normalised.findings)


def _gaps_and_findings(candidate: _Candidate) -> tuple[int, int]:
    return candidate.gaps(), len(candidate.normalised.findings)


@dataclass(frozen=True, slots=True)
class _Discriminator:
    """The property whose value selects a branch (OpenAPI 3.1, "Discriminator Object")."""

    property_name: str
    validators: Mapping[str, Validator]
    """The branches by the value of the property."""
    documented_values: frozenset[str]
    is_complete: bool
    """Whether no branch has other values: one without a name, or a union inside this one."""
    deviation: Deviation
    """Reported for another value."""


@dataclass(frozen=True, slots=True)
class _BranchSet:
    """The branches of one `anyOf` or `oneOf`."""

    validators: list[Validator]
    discriminator: _Discriminator | None
    is_marked: bool
    """Whether generated code reads the branch from the data.

    It reads only responses, and makes no union of a single branch.
    """
    deviation: Deviation
    """Reported for data that matches no branch."""


@dataclass(frozen=True, slots=True)
class _Members:
    """What a schema says about the properties of an object."""

    properties: Mapping[str, Validator]
    """The validators of the described properties, by name."""
    required: list[str]
    """The names that an object must have, described or not."""
    additional: Validator | None
    """The validator of every property that is not described; `None` if each one is a finding."""
    read_only: frozenset[str]
    """The names that a request leaves out. Empty for a response."""


_ANNOTATIONS = frozenset({"default", "deprecated", "readOnly", "writeOnly", "x-role"})
"""Keywords of the contract that restrict no data."""

_BRANCH_RULES = {
    "anyOf": "response-{}-any-of-added",
    "oneOf": "response-{}-one-of-added",
}
"""The rule for data that matches no branch of a keyword; see `Deviation.rule`."""

_ANY_DATA: Schema = {}
"""The schema that accepts everything."""


class _Compiler:
    """Compiles the schemas of one body or argument, each of them once."""

    def __init__(self, schemas: Mapping[str, Schema], operation: str, *, is_response: bool) -> None:
        self._schemas = schemas
        self._operation = operation
        self._is_response = is_response
        # By place in the spec.
        self._validators: dict[str, Validator] = {}

    def compile(self, schema: Schema, pointer: str) -> Validator:
        """The validator of a schema, or of the one it refers to."""
        if "$ref" in schema:
            name: str = schema["$ref"].removeprefix("#/schemas/")
            schema = self._schemas[name]
            # Generation names a schema outside of `components` by its pointer.
            pointer = name if name.startswith("/") else f"{_COMPONENTS}{name}"
        if pointer in self._validators:
            return self._validators[pointer]
        validator = Validator(pointer, self._operation)
        # Before its parts are compiled: they may refer to this schema.
        self._validators[pointer] = validator
        validator.set_rules(
            schema=schema,
            checks={data_type: list(checks_of(schema, data_type)) for data_type in DATA_TYPES},
            branch_sets=self._compile_branch_sets(schema, pointer),
            members=self._compile_members(schema, pointer),
            items=self._compile_items(schema, pointer),
            writes_integers=not self._is_response and is_integer_schema(schema),
        )
        return validator

    def _compile_branch_sets(self, schema: Schema, pointer: str) -> list[_BranchSet]:
        branch_sets: list[_BranchSet] = []
        for keyword, rule in _BRANCH_RULES.items():
            if keyword not in schema:
                continue
            validators = [
                self._compile_part(branch, pointer, keyword, str(index))
                for index, branch in enumerate(schema[keyword])
            ]
            deviation = Deviation("undocumented-form", rule, "of a documented form")
            discriminator = self._discriminator(schema, validators)
            is_marked = self._is_response and len(validators) > 1
            # The first of several matches is taken: a branch that says more comes before `{}`.
            are_open = [self._accepts_anything(branch) for branch in schema[keyword]]
            order = sorted(range(len(validators)), key=are_open.__getitem__)
            validators = [validators[index] for index in order]
            branch_sets.append(_BranchSet(validators, discriminator, is_marked, deviation))
        return branch_sets

    def _accepts_anything(self, schema: Schema) -> bool:
        return self._target(schema).keys() <= _ANNOTATIONS

    def _target(self, schema: Schema) -> Schema:
        """The schema, or the one that it refers to."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].removeprefix("#/schemas/")]
        return schema

    def _discriminator(self, union: Schema, validators: list[Validator]) -> _Discriminator | None:
        """The discriminator of a union; `None` if it has none.

        A branch that the mapping does not name has the name of its component as its value.
        """
        keyword: Mapping[str, Any] = union.get("discriminator", {})
        if "propertyName" not in keyword:
            return None
        by_component = {
            validator.pointer.removeprefix(_COMPONENTS): validator
            for validator in validators
            if validator.pointer.startswith(_COMPONENTS)
        }
        mapping: Mapping[str, str] = keyword.get("mapping", {})
        by_value: dict[str, Validator] = {}
        for value, target in mapping.items():
            # A target is a reference or the name of a component.
            name = target.rpartition("/")[2]
            if name in by_component:
                by_value[value] = by_component[name]
        mapped_pointers = {validator.pointer for validator in by_value.values()}
        for name, validator in by_component.items():
            if validator.pointer not in mapped_pointers:
                by_value.setdefault(name, validator)
        examples = ", ".join(list(by_value)[:5])
        return _Discriminator(
            keyword["propertyName"],
            by_value,
            documented_values=frozenset({*mapping, *by_component}),
            is_complete=self._is_response and self._are_named_objects(union),
            deviation=Deviation(
                "unknown-enum-value",
                "response-{}-discriminator-mapping-added",
                f"a documented value, such as {examples}",
            ),
        )

    def _are_named_objects(self, union: Schema) -> bool:
        """Whether all objects of a union are components, and none is a union itself."""
        for keyword in _BRANCH_RULES:
            for branch in union.get(keyword, ()):
                target = self._target(branch)
                if not _BRANCH_RULES.keys().isdisjoint(target):
                    return False
                if dict in described_types(target) and "$ref" not in branch:
                    return False
        return True

    def _compile_members(self, schema: Schema, pointer: str) -> _Members | None:
        """The properties of an object; `None` if every object is valid."""
        properties: Mapping[str, Schema] = schema.get("properties", {})
        # Generation splits the names: a property can be read-only or write-only.
        direction = "requiredInResponses" if self._is_response else "requiredInRequests"
        required: list[str] = [*schema.get("required", []), *schema.get(direction, [])]
        additional_schema = _additional_schema(schema, is_response=self._is_response)
        # Not only faster. It ends the recursion: `_ANY_DATA` itself has no `additionalProperties`,
        # so its additional properties have the schema `_ANY_DATA` again.
        if not properties and not required and additional_schema == _ANY_DATA:
            return None
        additional: Validator | None = None
        if additional_schema is not None:
            additional = self._compile_part(additional_schema, pointer, "additionalProperties")
        validators = {
            name: self._compile_part(child, pointer, "properties", name)
            for name, child in properties.items()
        }
        read_only: frozenset[str] = frozenset()
        if not self._is_response:
            read_only = frozenset(schema.get("readOnlyProperties", ()))
        return _Members(validators, required, additional, read_only)

    def _compile_items(self, schema: Schema, pointer: str) -> Validator | None:
        """The elements of an array; `None` if the schema does not describe them."""
        if "items" not in schema:
            return None
        return self._compile_part(schema["items"], pointer, "items")

    def _compile_part(self, schema: Schema, pointer: str, *steps: str) -> Validator:
        """The validator of a part of the schema at a pointer."""
        # RFC 6901, section 3: `~` and `/` are escaped.
        escaped_steps = [step.replace("~", "~0").replace("/", "~1") for step in steps]
        return self.compile(schema, "/".join([pointer, *escaped_steps]))


def _additional_schema(schema: Schema, *, is_response: bool) -> Schema | None:
    """The schema of properties that are not described; `None` if each of them is a finding."""
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
