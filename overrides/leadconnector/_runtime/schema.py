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
from typing import Any, NamedTuple, TypeAlias, cast

from .._generated import load_contract

Schema = Mapping[str, Any]

MAXIMUM_FINDINGS = 100
"""How many findings are told of one whole: enough to see what changed, and a body full of them fills no memory."""

MAXIMUM_NAME = 64
"""Characters of a name from the wire that a path shows."""

_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_KINDS: Mapping[type, str] = {**_SCALARS, dict: "object", list: "array"}
_LIMITS: Mapping[str, tuple[set[type], Callable[[Any], Callable[[Any], object]], str]] = {
    "minimum": (
        {int, float},
        lambda least: lambda data: least <= data,
        "response-{}-min-decreased",
    ),
    "maximum": ({int, float}, lambda most: lambda data: most >= data, "response-{}-max-increased"),
    "exclusiveMinimum": (
        {int, float},
        lambda less: lambda data: less < data,
        "response-{}-exclusive-min-decreased",
    ),
    "exclusiveMaximum": (
        {int, float},
        lambda more: lambda data: more > data,
        "response-{}-exclusive-max-increased",
    ),
    "minLength": (
        {str},
        lambda least: lambda data: least <= len(data),
        "response-{}-min-length-decreased",
    ),
    "maxLength": (
        {str},
        lambda most: lambda data: most >= len(data),
        "response-{}-max-length-increased",
    ),
    "minItems": (
        {list},
        lambda least: lambda data: least <= len(data),
        "response-{}-min-items-decreased",
    ),
    "maxItems": (
        {list},
        lambda most: lambda data: most >= len(data),
        "response-{}-type-generalized",
    ),
    "pattern": (
        {str},
        lambda pattern: re.compile(pattern).search,
        "response-property-pattern-changed",
    ),
    "x-text": (
        {str},
        lambda pattern: re.compile(pattern).fullmatch,
        "",
    ),  # of arguments: what can be sent as such
}
"""What a keyword is about, what holds such data against its value, and the rule for what does not pass."""

_FORMS = {"anyOf": "response-{}-any-of-added", "oneOf": "response-{}-one-of-added"}
_MISSING = ("missing", "response-property-became-optional", "there")
_UNDOCUMENTED = ("undocumented-field", "response-optional-property-added", "a documented property")


Place: TypeAlias = "str | tuple[Place, str | int]"
"""Where data stands: what the whole is called, or a place and a step from there; it becomes a path where it is told."""


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


def planned(
    schema: Schema, memo: "dict[str, Plan]", pointer: str = "", operation: str = ""
) -> "Plan":
    """The plan of a schema, or of the one that it refers to.

    Args:
        schema: the schema, as it stands in the contract.
        memo: the plans made so far, by pointer, as a schema may contain itself; empty for the outermost.
        pointer: where it stands in the spec, as a JSON pointer.
        operation: what findings name; empty for what is sent, where a name that is not documented is no finding.
    """
    if "$ref" in schema:
        name: str = schema["$ref"].removeprefix("#/schemas/")
        schema, pointer = (
            load_contract()["schemas"][name],
            name if name[0] == "/" else f"/components/schemas/{name}",
        )
    return memo.get(pointer) or Plan(schema, memo, pointer, operation)


class Plan:
    """A schema with what follows from it, found out once; `planned` makes it."""

    def __init__(
        self, schema: Schema, memo: "dict[str, Plan]", pointer: str, operation: str
    ) -> None:
        def plan(child: Schema, *steps: object) -> "Plan":
            escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
            return planned(child, memo, "/".join((pointer, *escaped)), operation)

        memo[pointer] = self
        self._where, properties = (operation, pointer), schema.get("properties", {})
        self._properties = {
            name: plan(child, "properties", name) for name, child in properties.items()
        }
        self._forms = {
            key: [plan(x, key, i) for i, x in enumerate(schema[key])]
            for key in _FORMS
            if key in schema
        }
        # Of what has parts: the plan of those without one of their own, where they may be, and the required ones.
        self._parts = dict[type, tuple[Plan | None, list[str]]]()
        others: Schema | bool = schema.get("additionalProperties", not (operation and properties))
        if properties or "required" in schema or others is not True:
            other = (
                None
                if others is False
                else plan({} if others is True else others, "additionalProperties")
            )
            self._parts[dict] = other, schema.get("required", [])
        if "items" in schema:
            self._parts[list] = plan(schema["items"], "items"), []
        self._checks = {kind: list(_checks(schema, kind)) for kind in _KINDS}
        single = {
            kind: checks
            for kind, checks in self._checks.items()
            if len(checks) < 2 and kind not in self._parts
        }
        self.accepts = {
            kind: each[0][0] if each else type for kind, each in single.items() if not self._forms
        }
        """By kind, what says at once that there is no more to be looked at, where one check does (`type`: always)."""

    def fit(self, data: Any, path: str = "$") -> tuple[Any, list[Finding]]:
        """The data as a generated model takes it, or the `Finding` because of which none can hold it; and all findings.

        What is optional and cannot be held is left out; a scalar of the wrong type stays as it is. Where nothing is
        left out it is the same object.

        Args:
            data: what `json.loads` gave.
            path: where it stands.
        """
        found: list[Finding] = []
        return self._fit(data, path, found), found

    def _fit(self, data: Any, place: Place, found: list[Finding]) -> Any:
        for holds, unfit, told in self._checks[data.__class__]:
            if not holds(data):
                finding = self._tell(data, place, found, *told)
                if unfit:
                    return finding
        for (
            keyword,
            forms,
        ) in (
            self._forms.items()
        ):  # the one from which it differs least: by undocumented names alone
            tried = [form.fit(data, _path(place)) for form in forms]
            fitting = [
                each
                for each in tried
                if {finding.kind for finding in each[1]} <= {_UNDOCUMENTED[0]}
            ]
            if not fitting:
                return self._tell(
                    data, place, found, "undocumented-form", _FORMS[keyword], "of a documented form"
                )
            data, differing = min(fitting, key=lambda each: len(each[1]))
            found.extend(differing[: MAXIMUM_FINDINGS - len(found)])
        return self._fit_parts(data, place, found) if data.__class__ in self._parts else data

    def _fit_parts(self, data: Any, place: Place, found: list[Finding]) -> Any:
        other, required = self._parts[data.__class__]
        parts: dict[Any, Any] = (
            data if data.__class__ is dict else dict(enumerate(cast("list[object]", data)))
        )
        changed: dict[Any, Any] = {}
        for name in [name for name in required if name not in parts]:
            changed[name] = self._properties.get(name, self)._tell(
                data, (place, name), found, *_MISSING
            )
        for step, value in parts.items():
            plan = self._properties.get(step, other)
            if plan is None:
                self._tell(data, (place, step), found, *_UNDOCUMENTED)
            elif not ((accepts := plan.accepts.get(value.__class__)) and accepts(value)):
                fitted = plan._fit(value, (place, step), found)
                if fitted is not value:
                    changed[step] = fitted
        if not changed:
            return data
        kept = {
            step: value
            for step, value in (parts | changed).items()
            if not isinstance(value, Finding)
        }
        whole = kept if parts is data else [*kept.values()]
        return next((changed[name] for name in required if name not in kept), whole)

    def _tell(
        self, data: object, place: Place, found: list[Finding], kind: str, rule: str, expected: str
    ) -> Finding:
        kind, rule = ("null", "response-{}-became-nullable") if data is None else (kind, rule)
        told = Finding(
            kind,
            rule.format("body" if place == "$" else "property"),
            *self._where,
            _path(place),
            expected,
        )
        # A finding for which there is no room takes the last one's place, but with undocumented names data has a form.
        if len(found) < MAXIMUM_FINDINGS or kind != _UNDOCUMENTED[0]:
            found[MAXIMUM_FINDINGS - 1 :] = [told]
        return told


def _path(place: Place) -> str:
    """The JSON path. A name in it comes from the wire, and may hold anything."""
    if isinstance(place, str):
        return place
    path, step = _path(place[0]), place[1]
    if (
        isinstance(step, str)
        and step.isascii()
        and step.isidentifier()
        and len(step) <= MAXIMUM_NAME
    ):
        return f"{path}.{step}"
    return f"{path}[{step if isinstance(step, int) else json.dumps(step[:MAXIMUM_NAME])}]"


def _checks(
    schema: Schema, kind: type
) -> Iterator[tuple[Callable[[Any], object], bool, tuple[str, str, str]]]:
    """What data of this kind must pass, whether no model can hold what does not, and what is told of it."""
    null, nested = kind is type(None), kind not in _SCALARS
    types: list[str] = (
        [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    )
    if types and _KINDS[kind] not in types and not (kind is int and "number" in types):
        holds: Callable[[Any], object] = (
            float.is_integer if kind is float and "integer" in types else lambda _: False
        )
        unfit = null or nested or "enum" in schema or not {"object", "array"}.isdisjoint(types)
        yield (
            holds,
            unfit,
            ("wrong-type", "response-{}-type-changed", f"of type {', '.join(types)}"),
        )
    if "enum" in schema:  # of scalars alone, as generation sees to; 1 is 1.0, but never true
        values = [value for value in schema["enum"] if isinstance(value, bool) == (kind is bool)]
        expected = f"a documented value, such as {', '.join(map(str, schema['enum'][:5]))}"
        holds = (values if nested else frozenset(values)).__contains__
        yield holds, null, ("unknown-enum-value", "response-property-enum-value-added", expected)
    for keyword, (kinds, holding, rule) in _LIMITS.items():
        if keyword in schema and kind in kinds:
            expected = (
                schema["x-expected"]
                if keyword == "x-text"
                else f"in keeping with {keyword} {schema[keyword]}"
            )
            yield holding(schema[keyword]), False, ("out-of-bounds", rule, expected)


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
        self.arguments = {
            each["argument"]: (each, planned(each["schema"] or {}, {}))
            for each in known["arguments"]
        }
        """What the contract has of each argument, and the plan of its schema; by its name."""
        self.rate_limit_key = [
            name
            for name, (each, _) in self.arguments.items()
            if each.get("role") == "rate-limit-key"
        ]
        """The names of the arguments for whose values the API counts requests apart."""
        self._responses, self._pointer = known["responses"], f"{known['pointer']}/responses"
        having = [(key, each) for key, each in self._responses.items() if "schema" in each]
        self._plans = {
            key: planned(each["schema"], {}, each["schema_pointer"], self.name)
            for key, each in having
        }
        self.content = {"": "json"} | {
            key: each["content"] for key, each in self._responses.items()
        }
        """What a response holds: `json`, `text`, `bytes`, `none`; of one that is not documented, `json`."""
        self.undocumented_content_type = lru_cache(100)(self._undocumented_content_type)

    def key(self, status: int) -> str:
        """What the contract calls the response with this status: `200`, `2XX`, `default`; empty where it has none."""
        others = f"{status // 100}XX", "default"
        return (
            exact
            if (exact := str(status)) in self._responses
            else next(filter(self._responses.get, others), "")
        )

    def read(self, key: str, data: object) -> Reading:
        """Hold what `json.loads` gave of a response against what the spec has for it.

        A name that is not documented is a finding, unless the spec says what others there may be; it stays in the data.
        """
        try:
            fitted, found = self._plans[key].fit(data) if key in self._plans else (data, [])
        except RecursionError:
            return Reading(data, "is nested too deeply")
        if isinstance(fitted, Finding):
            return Reading(data, f"must be {fitted.expected}", fitted.path, tuple(found))
        return Reading(fitted, "", "$", tuple(found))

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
        if not documented or not {given, f"{given.partition('/')[0]}/*", "*/*"}.isdisjoint(
            documented
        ):
            return ()
        pointer, expected = (
            f"{self._responses[key]['pointer']}/content",
            f"of type {' or '.join(documented)}",
        )
        return (
            Finding(
                "undocumented-content-type",
                "response-media-type-added",
                self.name,
                pointer,
                "$",
                expected,
            ),
        )


@cache
def documented(operation_id: str) -> Documented:
    """What the contract has of an operation; found out once."""
    return Documented(load_contract()["operations"][operation_id])
