"""JSON data of a schema: all properties, only required ones, and each value and branch once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import strategies

from benchmarks.long.conformance.documents import Json, is_object
from benchmarks.long.conformance.schemas import Schema, Schemas

UNKNOWN_ENUM_VALUE = "a value of tomorrow"
UNLISTED_PROPERTY = "x-unlisted property"

_LIMITS = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems",
        "maxItems", "uniqueItems",
    }
)  # fmt: skip
"""Keywords that samples can violate."""

_NO_KINDS: frozenset[str] = frozenset()
_RECURSIONS = 2
"""How often a component may contain itself."""

_TEXTS_BY_FORMAT: Mapping[str, tuple[str, ...]] = {
    "date-time": (
        "2021-08-03T22:27:33Z",
        "2021-08-03T22:27:33.120+05:30",
        "1969-12-31T23:59:59.999999+00:00",
    ),
    "date": ("2024-02-29", "0999-01-01"),
    "uuid": ("7d444840-9dc0-11d1-b245-5ffdce74fad2",),
    "email": ("a.b+c@example.com",),
    "uri": ("https://example.com/a?b=c#d",),
    "url": ("https://example.com/a?b=c#d",),
    "time": ("10:00:00Z",),
    "byte": ("AAEC/w==",),
    "binary": ("the content of a file",),
}
_TEXTS = ("plain", "a b/c?d=e&f+g%20#é\n\"'\\", "0", "true", "null", "2021-08-03")
_TEXTS_BY_PLACE: Mapping[str, tuple[str, ...]] = {
    "body": _TEXTS,
    "query": _TEXTS,
    "path": ("plain", "a b;c=d", "0", "true", "a/b?c#d%2e é"),
    "header": ("plain", "a b;c=d", "0", "true"),
    "cookie": ("plain", "0", "true"),
}
"""Where a parameter is, or `body`. The texts that headers and cookies can have are limited."""
_TEXT_LIMITS = ("pattern", "minLength", "maxLength")
_NUMBERS = (1.5, 0, -2, 3.0, 9007199254740993, 1e-7)
_INTEGERS = (7, 0, -2, 9007199254740993)
_FREE_OBJECT: Json = {"any": [1, None, {"x y": "z"}], "other": True}
_VALUES_BY_TYPE: Mapping[str, tuple[Json, ...]] = {
    "boolean": (True, False),
    "null": (None,),
    "any": ("text", 7, 1.5, True, [1, "a"], {"a": {"b": None}}),
}


@dataclass(frozen=True)
class Sample:
    """JSON data, and what the client must report about it."""

    value: Json
    kinds: frozenset[str] = _NO_KINDS
    """The kinds of findings that it leads to in a response."""


class Sampler:
    """Makes samples of schemas.

    Args:
        schemas: the schemas.
        with_unknown: whether to add enum values and properties that are not documented.
        place: `body`, or where a parameter is.
    """

    def __init__(self, schemas: Schemas, *, with_unknown: bool, place: str = "body") -> None:
        self._schemas = schemas
        self._with_unknown = with_unknown
        self._place = place

    def samples(self, schema: Json) -> list[Sample]:
        """Samples of a schema. The first one has all properties."""
        samples = self._samples(schema, (), with_unknown=self._with_unknown)
        return [sample for sample in samples if self._is_valid(schema, sample)]

    def _samples(
        self, schema: Json, components: tuple[str, ...], *, with_unknown: bool
    ) -> list[Sample]:
        view = self._schemas.view(schema)
        if view.component:
            if components.count(view.component) >= _RECURSIONS:
                return []
            components = (*components, view.component)
        samples: list[Sample] = []
        if view.branches:
            samples = self._branch_samples(view, components)
        elif view.enum is not None:
            samples = self._enum_samples(view, with_unknown=with_unknown)
        else:
            for type_name in _types(view):
                samples += self._samples_of_type(
                    view, type_name, components, with_unknown=with_unknown
                )
        if view.allows_null and not any(sample.value is None for sample in samples):
            samples.append(Sample(None))
        unique = _unique(samples)
        is_undecided = view.is_exclusive and "discriminator" not in view.keywords
        if is_undecided or not _LIMITS.isdisjoint(view.keywords):
            # A sample that matches several branches of `oneOf` is invalid.
            return [sample for sample in unique if self._is_valid(schema, sample)]
        return unique

    def _is_valid(self, schema: Json, sample: Sample) -> bool:
        return bool(sample.kinds) or self._schemas.accepts(schema, sample.value)

    def _branch_samples(self, view: Schema, components: tuple[str, ...]) -> list[Sample]:
        samples: list[Sample] = []
        for branch in view.branches:
            # Inside of a union, an undocumented value is no value of any branch.
            for sample in self._samples(branch, components, with_unknown=False):
                samples += self._discriminated(view, branch, sample)
        return samples

    def _discriminated(self, view: Schema, branch: Json, sample: Sample) -> list[Sample]:
        """The sample with each value of the discriminator that selects the branch."""
        discriminator = view.keywords.get("discriminator")
        if discriminator is None or not is_object(sample.value):
            return [sample]
        component = self._schemas.view(branch).component
        name = discriminator["propertyName"]
        return [
            Sample({**sample.value, name: selector}, sample.kinds)
            for selector in selectors(discriminator, component)
        ]

    def _enum_samples(self, view: Schema, *, with_unknown: bool) -> list[Sample]:
        values = view.enum or ()
        samples = [Sample(value) for value in values]
        texts = [value for value in values if isinstance(value, str)]
        if with_unknown and texts and len(texts) == len(values) and not view.is_constant:
            samples.append(Sample(UNKNOWN_ENUM_VALUE, frozenset({"unknown-enum-value"})))
        return samples

    def _samples_of_type(
        self, view: Schema, type_name: str, components: tuple[str, ...], *, with_unknown: bool
    ) -> list[Sample]:
        if type_name == "object":
            return self._objects(view, components, with_unknown=with_unknown)
        if type_name == "array":
            return self._arrays(view, components, with_unknown=with_unknown)
        if type_name == "string":
            return self._texts(view)
        if type_name in {"integer", "number"}:
            numbers = _INTEGERS if type_name == "integer" else _NUMBERS
            return [Sample(value) for value in _within(view, numbers)]
        return [Sample(value) for value in _VALUES_BY_TYPE[type_name]]

    def _texts(self, view: Schema) -> list[Sample]:
        candidates = self._candidates(view)
        if "pattern" in view.keywords:
            candidates.append(_text_of_pattern(view.keywords["pattern"]))
        limits = {name: view.keywords[name] for name in _TEXT_LIMITS if name in view.keywords}
        return [
            Sample(text)
            for text in candidates
            if isinstance(text, str) and self._schemas.accepts(limits, text)
        ]

    def _candidates(self, view: Schema) -> list[Json]:
        """Texts that have the format of a schema."""
        texts = _TEXTS_BY_FORMAT.get(str(view.keywords.get("format")))
        if texts is not None:
            # The examples of real documents often do not have the format.
            return list(texts)
        candidates: list[Json] = [*_TEXTS_BY_PLACE[self._place], *_texts_of_lengths(view)]
        candidates += [view.keywords.get("example"), view.keywords.get("default")]
        if self._schemas.direction == "response":
            return [*candidates, ""]
        # The client rejects empty texts: they would be paths of other operations, for example.
        return [text for text in candidates if text != ""]

    def _arrays(
        self, view: Schema, components: tuple[str, ...], *, with_unknown: bool
    ) -> list[Sample]:
        items = view.item_schema
        samples = self._samples(items, components, with_unknown=with_unknown)
        longest = view.keywords.get("maxItems", len(samples) + 1)
        shortest = view.keywords.get("minItems", 0)
        arrays = [_array(samples[:2]), _array([])]
        arrays += [
            _array(samples[start : start + longest])
            for start in range(2, len(samples), max(longest, 1))
        ]
        complete: list[Sample] = []
        for array in arrays:
            value = list(array.value)
            while len(value) < shortest and samples:
                value.append(samples[len(value) % len(samples)].value)
            complete.append(Sample(value[:longest], array.kinds))
        return complete

    def _objects(
        self, view: Schema, components: tuple[str, ...], *, with_unknown: bool
    ) -> list[Sample]:
        choices = {
            name: self._samples(schema, components, with_unknown=with_unknown)
            for name, schema in view.properties.items()
        }
        for name in view.required - set(choices):
            choices[name] = [Sample("a required value")]
        for name in view.required:
            if not choices[name]:
                # A component that contains itself and must not, at this depth.
                return []
        choices = {name: samples for name, samples in choices.items() if samples}
        count = max([len(samples) for samples in choices.values()], default=1)
        objects = [_object(choices, number) for number in range(count)]
        required = {name: samples for name, samples in choices.items() if name in view.required}
        objects.insert(1, _object(required, 0))
        extended = self._extended(view, objects[0], components, with_unknown=with_unknown)
        if not view.properties and extended:
            return [*extended, *objects]
        return [*objects, *extended]

    def _extended(
        self, view: Schema, first: Sample, components: tuple[str, ...], *, with_unknown: bool
    ) -> list[Sample]:
        """Objects with properties that the schema does not list."""
        if is_object(view.additional) and view.additional:
            values = self._samples(view.additional, components, with_unknown=with_unknown)
            return [
                Sample(
                    {**first.value, UNLISTED_PROPERTY: sample.value, "other": values[0].value},
                    first.kinds | sample.kinds | values[0].kinds,
                )
                for sample in values
            ]
        if view.additional is False:
            return []
        if not view.properties or view.additional is not None:
            return [Sample({**first.value, **_FREE_OBJECT}, first.kinds)]
        if not with_unknown:
            return []
        kinds = first.kinds | {"undocumented-field"}
        return [Sample({**first.value, UNLISTED_PROPERTY: {"a": [1]}}, kinds)]


def selectors(discriminator: Mapping[str, Any], component: str) -> list[str]:
    """The values of a discriminator that select a component (OpenAPI 3.1, section 4.8.25)."""
    mapping: Mapping[str, str] = discriminator.get("mapping", {})
    values = [value for value, target in mapping.items() if target.rpartition("/")[2] == component]
    return values or [component]


def _types(view: Schema) -> list[str]:
    types = sorted(view.plain_types)
    if types:
        return types
    if view.types:
        return ["null"]
    if view.properties or view.additional is not None or view.required:
        return ["object"]
    if view.items is not None:
        return ["array"]
    return ["any"]


def _array(samples: list[Sample]) -> Sample:
    return Sample([sample.value for sample in samples], _kinds(samples))


def _object(choices: Mapping[str, list[Sample]], number: int) -> Sample:
    """An object with the given sample of each property, again from the first if there are fewer."""
    chosen = {name: samples[number % len(samples)] for name, samples in choices.items()}
    value = {name: sample.value for name, sample in chosen.items()}
    return Sample(value, _kinds(chosen.values()))


def _kinds(samples: Iterable[Sample]) -> frozenset[str]:
    return _NO_KINDS.union(*[sample.kinds for sample in samples])


def _within(view: Schema, numbers: Iterable[float]) -> list[float]:
    """The numbers, and the limits of a schema."""
    candidates = list(numbers)
    for name in ("minimum", "maximum", "multipleOf", "example", "default"):
        value = view.keywords.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            candidates.append(value)
    exclusive_minimum = view.keywords.get("exclusiveMinimum")
    if exclusive_minimum is not None:
        candidates.append(exclusive_minimum + 1)
    return candidates


def _texts_of_lengths(view: Schema) -> list[str]:
    """The shortest and the longest text that a schema allows, if it limits the length."""
    lengths = [view.keywords.get(name) for name in ("minLength", "maxLength")]
    return ["x" * length for length in lengths if length]


def _text_of_pattern(pattern: str) -> str:
    """A short text that matches a pattern."""
    return hypothesis.find(
        strategies.from_regex(re.compile(pattern)),
        lambda text: text.isprintable(),
        settings=hypothesis.settings(database=None, derandomize=True),
    )


def _unique(samples: list[Sample]) -> list[Sample]:
    """The samples without repeated values. 1 and True differ."""
    unique: dict[str, Sample] = {}
    for sample in samples:
        unique.setdefault(repr(sample.value), sample)
    return list(unique.values())
