"""Reads the contract that generation writes beside its code, and holds data against it, without telling what that is.

A schema becomes a plan once: what data has to go through, by the kind of data that it is, and nothing where anything
goes. Every keyword that generation lets through is held, but that `oneOf` is read as `anyOf`: data of two documented
forms is no drift. `format` is an annotation, and 1.0 is an integer.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple, cast

Schema = Mapping[str, Any]

MAXIMUM_FINDINGS = 100
"""How many findings are told of one whole: enough to see what changed, and a body full of them fills no memory."""

MAXIMUM_NAME = 64
"""Characters of a name from the wire that a path shows."""

_PLAIN_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{,{MAXIMUM_NAME - 1}}}")
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_KINDS: Mapping[type, str] = {**_SCALARS, dict: "object", list: "array"}
_LIMITS: Mapping[str, tuple[set[type], Callable[[Any], Callable[[Any], object]], str]] = {
    "minimum": ({int, float}, lambda least: lambda data: least <= data, "response-{}-min-decreased"),
    "maximum": ({int, float}, lambda most: lambda data: most >= data, "response-{}-max-increased"),
    "exclusiveMinimum": ({int, float}, lambda less: lambda data: less < data, "response-{}-exclusive-min-decreased"),
    "exclusiveMaximum": ({int, float}, lambda more: lambda data: more > data, "response-{}-exclusive-max-increased"),
    "minLength": ({str}, lambda least: lambda data: least <= len(data), "response-{}-min-length-decreased"),
    "maxLength": ({str}, lambda most: lambda data: most >= len(data), "response-{}-max-length-increased"),
    "minItems": ({list}, lambda least: lambda data: least <= len(data), "response-{}-min-items-decreased"),
    "maxItems": ({list}, lambda most: lambda data: most >= len(data), "response-{}-type-generalized"),
    "pattern": ({str}, lambda pattern: re.compile(pattern).search, "response-property-pattern-changed"),
    "x-text": ({str}, lambda pattern: re.compile(pattern).fullmatch, ""),  # of arguments: what can be sent as such
}
"""What a keyword is about, what holds such data against its value, and the rule for what does not pass."""

_FORMS = {"anyOf": "response-{}-any-of-added", "oneOf": "response-{}-one-of-added"}
_UNDOCUMENTED = ("undocumented-field", "response-optional-property-added", "a documented property")


@cache
def load_contract() -> Schema:
    """The contract of the generated package beside this module; read once."""
    return cast("Schema", json.loads((files(f"{__package__}._generated") / "contract.json").read_bytes()))


@dataclass(frozen=True)
class Finding:
    """One place where an answer is not as documented. It never holds the value that was there."""

    kind: str
    """What it is, such as `unknown-enum-value`."""
    rule: str
    """The check id, as oasdiff names it, that a comparison of specs would give to the change that documents it."""
    operation: str
    """Method and path as the spec has them, such as `PUT /conversations/{conversationId}`."""
    pointer: str
    """Where in the spec, as a JSON pointer."""
    path: str
    """Where in the answer, as a JSON path; `$` is the whole."""
    expected: str
    """What the spec has in that place."""


class Place(NamedTuple):
    """Where data stands: the last step there, and the place around it. It becomes text only where something is told."""

    found: list[Finding]
    """Where findings are added."""
    step: str | int = "$"
    """A name or an index; of the whole, what it is called."""
    around: "Place | None" = None

    def path(self) -> str:
        """The JSON path. A name in it comes from the wire, and may hold anything."""
        if self.around is None:
            return str(self.step)
        if isinstance(self.step, str) and _PLAIN_NAME.fullmatch(self.step):
            return f"{self.around.path()}.{self.step}"
        return (
            f"{self.around.path()}[{self.step if isinstance(self.step, int) else json.dumps(self.step[:MAXIMUM_NAME])}]"
        )


class Plan:
    """A schema with what follows from it, found out once.

    Args:
        schema: the schema, as it stands in the contract.
        pointer: where it stands in the spec, as a JSON pointer.
        operation: what findings name; empty for what is sent, where a name that is not documented is no finding.
        memo: the plans made so far, by pointer, as a schema may contain itself; empty for the outermost.
    """

    def __init__(self, schema: Schema, pointer: str, operation: str, memo: "dict[str, Plan]") -> None:
        def plan(child: Schema, *steps: object) -> "Plan":
            escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
            child, place = _referred(child, "/".join((pointer, *escaped)))
            return memo.get(place) or Plan(child, place, operation, memo)

        schema, pointer = _referred(schema, pointer)
        memo[pointer] = self
        self._where, properties = (operation, pointer), schema.get("properties", {})
        self._properties = {name: plan(child, "properties", name) for name, child in properties.items()}
        forms = {keyword: enumerate(schema[keyword]) for keyword in _FORMS if keyword in schema}
        self._forms = [(key, [plan(form, key, index) for index, form in each]) for key, each in forms.items()]
        self._parts = dict[
            type, tuple[Plan | None, list[str]]
        ]()  # for parts without a plan of their own; required ones
        others: Schema | bool = schema.get("additionalProperties", not (operation and properties))
        if properties or "required" in schema or others is not True:
            other = plan({} if others is True else others, "additionalProperties") if others is not False else None
            self._parts[dict] = other, schema.get("required", [])
        if "items" in schema:
            self._parts[list] = plan(schema["items"], "items"), []
        self._checks = {kind: list(_checks(schema, kind)) for kind in _KINDS}
        whole = set[type]() if self._forms else self._checks.keys() - self._parts.keys()
        self._whole = {kind: _every([holds for holds, _, _ in self._checks[kind]]) for kind in whole}
        self.plain = {kind for kind in whole if not self._checks[kind]}
        """The kinds of data of which all is taken."""

    def takes(self, data: Any) -> bool:
        """Whether the data is certainly as documented; false where that takes a closer look."""
        holds = self._whole.get(data.__class__)
        return bool(holds and holds(data))

    def fit(self, data: Any, place: Place) -> Any:
        """The data as a generated model takes it, or the `Finding` because of which no such model can hold it.

        What is optional and cannot be held is left out; a scalar of the wrong type stays as it is. Where nothing is
        left out it is the same object.

        Args:
            data: what `json.loads` gave.
            place: where it stands, and where findings are added.
        """
        for holds, unfit, told in self._checks[data.__class__]:
            if not holds(data):
                finding = self._tell(data, place, *told)
                if unfit:
                    return finding
        for keyword, forms in self._forms:
            data = self._fit_form(keyword, forms, data, place)
        return self._fit_parts(data, place) if data.__class__ in self._parts else data

    def _fit_form(self, keyword: str, forms: "list[Plan]", data: Any, place: Place) -> Any:
        """The data as the form has it from which it differs least: by undocumented names alone, or it is of no form."""
        attempts = [place._replace(found=[]) for _ in forms]
        tried = [(form.fit(data, attempt), attempt.found) for form, attempt in zip(forms, attempts, strict=True)]
        fitting = [(fitted, found) for fitted, found in tried if {each.kind for each in found} <= {_UNDOCUMENTED[0]}]
        if not fitting:
            return self._tell(data, place, "undocumented-form", _FORMS[keyword], "of one of the documented forms")
        fitted, found = min(fitting, key=lambda one: len(one[1]))
        place.found.extend(found[: MAXIMUM_FINDINGS - len(place.found)])
        return fitted

    def _fit_parts(self, data: Any, place: Place) -> Any:
        other, required = self._parts[data.__class__]
        parts: dict[Any, Any] = data if data.__class__ is dict else dict(enumerate(cast("list[object]", data)))
        changed: dict[Any, Any] = {}
        for name in required:
            if name not in parts:
                told = ("missing", "response-property-became-optional", "there")
                changed[name] = self._properties.get(name, self)._tell(parts, Place(place.found, name, place), *told)
        for step, value in parts.items():
            plan = self._properties.get(step, other)
            if plan is None:
                self._tell(parts, Place(place.found, step, place), *_UNDOCUMENTED)
            elif value.__class__ not in plan.plain and not plan.takes(value):
                fitted = plan.fit(value, Place(place.found, step, place))
                if fitted is not value:
                    changed[step] = fitted
        if not changed:
            return data
        for name in required:
            if isinstance(changed.get(name), Finding):
                return changed[name]
        kept = {step: value for step, value in (parts | changed).items() if not isinstance(value, Finding)}
        return kept if parts is data else [*kept.values()]

    def _tell(self, data: object, place: Place, kind: str, rule: str, expected: str) -> Finding:
        kind, rule = ("null", "response-{}-became-nullable") if data is None else (kind, rule)
        told = Finding(kind, rule.format("property" if place.around else "body"), *self._where, place.path(), expected)
        if len(place.found) < MAXIMUM_FINDINGS:
            place.found.append(told)
        elif kind != _UNDOCUMENTED[0]:  # with no others than these, data is still of a form
            place.found[-1] = told
        return told


def _checks(schema: Schema, kind: type) -> Iterator[tuple[Callable[[Any], object], bool, tuple[str, str, str]]]:
    """What data of this kind must pass, whether no model can hold what does not, and what is told of it."""
    null, nested = kind is type(None), kind not in _SCALARS
    named: str | list[str] = schema.get("type", [*_KINDS.values()])
    types = [named] if isinstance(named, str) else named
    if _KINDS[kind] not in types and not (kind is int and "number" in types):
        holds: Callable[[Any], object] = float.is_integer if kind is float and "integer" in types else lambda _: False
        unfit = null or nested or "enum" in schema or not {"object", "array"}.isdisjoint(types)
        yield holds, unfit, ("wrong-type", "response-{}-type-changed", f"of type {', '.join(types)}")
    if "enum" in schema:  # of scalars alone, as generation sees to; 1 is 1.0, but never true
        values = [value for value in schema["enum"] if isinstance(value, bool) == (kind is bool)]
        expected = f"a documented value, such as {', '.join(map(str, schema['enum'][:5]))}"
        holds = (values if nested else frozenset(values)).__contains__
        yield holds, null, ("unknown-enum-value", "response-property-enum-value-added", expected)
    for keyword, (kinds, holding, rule) in _LIMITS.items():
        if keyword in schema and kind in kinds:
            expected = schema["x-expected"] if keyword == "x-text" else f"in keeping with {keyword} {schema[keyword]}"
            yield holding(schema[keyword]), False, ("out-of-bounds", rule, expected)


def _every(checks: list[Callable[[Any], object]]) -> Callable[[Any], object]:
    return checks[0] if len(checks) == 1 else lambda data: all(holds(data) for holds in checks)


def _referred(schema: Schema, pointer: str) -> tuple[Schema, str]:
    """The schema that is meant, and where in the spec it stands."""
    if "$ref" not in schema:
        return schema, pointer
    name: str = schema["$ref"].removeprefix("#/schemas/")
    return load_contract()["schemas"][name], name if name[0] == "/" else f"/components/schemas/{name}"


class Reading(NamedTuple):
    """An answer's data, or a part of it, read as the spec has it."""

    data: object
    """As a generated model takes it; as it came where there is a problem."""
    problem: str = ""
    """Why no generated model can hold it, where that is so; never what was there."""
    path: str = "$"
    """Where the problem is, as a JSON path; `$` is the whole."""
    findings: tuple[Finding, ...] = ()
    """All that is not as documented."""

    def __repr__(self) -> str:  # a traceback's variables may be shown
        return f"Reading({len(self.findings)} findings)"


class Documented:
    """An operation as the contract has it, with what follows from that found out once."""

    def __init__(self, known: Schema) -> None:
        self.name: str = known["name"]
        """In messages and findings: method and path, without the ids that a URL holds."""
        self.method: str = known["method"]
        self.arguments = [
            (each["argument"], each, Plan(each["schema"] or {}, "", "", {})) for each in known["arguments"]
        ]
        """The name of each argument, what the contract has of it, and the plan of its schema."""
        self.quota_key = [name for name, each, _ in self.arguments if each.get("role") == "quota-key"]
        """The names of the arguments for whose values the API counts requests apart."""
        self._responses, self._pointer = known["responses"], f"{known['pointer']}/responses"
        having = {key: each for key, each in self._responses.items() if "schema" in each}
        self._plans = {key: Plan(each["schema"], each["schema_pointer"], self.name, {}) for key, each in having.items()}
        self.undocumented_content_type = lru_cache(100)(self._undocumented_content_type)

    def key(self, status: int) -> str:
        """What the contract calls the response with this status: `200`, `2XX`, `default`; empty where it has none."""
        if (key := str(status)) in self._responses:
            return key
        return next((key for key in (f"{status // 100}XX", "default") if key in self._responses), "")

    def content(self, key: str) -> str:
        """What a response holds: `json`, `text`, `bytes`, `none`; of one that is not documented, `json`."""
        return self._responses[key]["content"] if key else "json"

    def read(self, key: str, data: object) -> Reading:
        """Hold what `json.loads` gave of a response against what the spec has for it.

        A name that is not documented is a finding, unless the spec says what others there may be; it stays in the data.
        """
        plan, place = self._plans.get(key), Place([])
        try:
            fitted = plan.fit(data, place) if plan else data
        except RecursionError:
            return Reading(data, "is nested too deeply")
        if isinstance(fitted, Finding):
            return Reading(data, f"must be {fitted.expected}", fitted.path, tuple(place.found))
        return Reading(fitted, findings=tuple(place.found))

    def undocumented_status(self, status: int) -> Finding:
        """The finding for an answer whose status is not documented."""
        rule = f"response-{'success' if 200 <= status < 300 else 'non-success'}-status-added"
        expected = f"of status {', '.join(sorted(self._responses))}"
        return Finding("undocumented-status", rule, self.name, self._pointer, "$", expected)

    def _undocumented_content_type(self, key: str, given: str) -> tuple[Finding, ...]:
        """The finding for an answer whose media type is not documented; empty where it is, also by a range of types.

        Of a response that documents no content there is none. No `Content-Type` at all (empty) is a finding.
        """
        documented: list[str] = self._responses.get(key, {}).get("media_types", [])
        given = given.partition(";")[0].strip().lower()
        if not documented or not {given, f"{given.partition('/')[0]}/*", "*/*"}.isdisjoint(documented):
            return ()
        pointer, expected = f"{self._responses[key]['pointer']}/content", f"of type {' or '.join(documented)}"
        told = "undocumented-content-type", "response-media-type-added", self.name, pointer, "$", expected
        return (Finding(*told),)


@cache
def documented(operation_id: str) -> Documented:
    """What the contract has of an operation; found out once."""
    return Documented(load_contract()["operations"][operation_id])
