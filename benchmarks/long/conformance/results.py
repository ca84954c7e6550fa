"""Compares the result of a call with the JSON data of the response and with its schema."""

from __future__ import annotations

import datetime
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from benchmarks.long.conformance import hints
from benchmarks.long.conformance.data import difference, same_data, text_of
from benchmarks.long.conformance.documents import Json, is_array, is_object
from benchmarks.long.conformance.hints import Hint, ModelHints
from benchmarks.long.conformance.names import attributes_of, bare, is_expected
from benchmarks.long.conformance.reports import Mismatch
from benchmarks.long.conformance.samples import selectors
from benchmarks.long.conformance.schemas import Schema, Schemas

_ONLY_STRINGS = frozenset({"string"})
_TIMES: Mapping[str, type] = {
    "date-time": datetime.datetime,
    "date": datetime.date,
    "uuid": uuid.UUID,
}


class Results:
    """Compares results.

    Args:
        schemas: the schemas of responses.
        model_hints: the hints of the models.
    """

    def __init__(self, schemas: Schemas, model_hints: ModelHints) -> None:
        self._schemas = schemas
        self._model_hints = model_hints
        self.fields = 0
        """How many values have been compared."""

    def mismatches(
        self, value: object, schema: Json, data: Json, hint: Hint, path: str = "$"
    ) -> Iterator[Mismatch]:
        """What is wrong with a value.

        Args:
            value: the value that the client made.
            schema: the schema of the data.
            data: the JSON data of the response.
            hint: the type hint of the value; `Any` if there is none.
            path: the place of the value.
        """
        self.fields += 1
        if not hints.fits(value, hint):
            yield Mismatch(path, f"the type {hints.describe(hint)}", _shown(value))
            return
        view = self._schemas.view(schema)
        if data is None:
            if value is not None:
                yield Mismatch(path, "None", _shown(value))
        elif view.branches:
            yield from self._branch(value, view, data, hint, path)
        elif view.enum is not None:
            yield from self._enum(value, view, data, path)
        elif is_object(data):
            yield from self._object(value, view, data, path)
        elif is_array(data):
            yield from self._array(value, view, data, hint, path)
        else:
            yield from self._scalar(value, view, data, path)

    def _branch(
        self, value: object, view: Schema, data: Json, hint: Hint, path: str
    ) -> Iterator[Mismatch]:
        """Compare with the branches that the data matches. One must fit."""
        first: list[Mismatch] = []
        branches = [
            branch for branch in self._selected(view, data) if self._schemas.accepts(branch, data)
        ]
        for branch in branches or self._selected(view, data):
            mismatches = list(self.mismatches(value, branch, data, hint, path))
            if not mismatches:
                return
            first = first or mismatches
        yield from first

    def _selected(self, view: Schema, data: Json) -> list[Json]:
        """The branch that the discriminator selects, or all."""
        discriminator = view.keywords.get("discriminator")
        if discriminator is None or not is_object(data):
            return list(view.branches)
        selector = data.get(discriminator["propertyName"])
        selected = [
            branch
            for branch in view.branches
            if selector in selectors(discriminator, self._schemas.view(branch).component)
        ]
        return selected or list(view.branches)

    def _enum(self, value: object, view: Schema, data: Json, path: str) -> Iterator[Mismatch]:
        values = [choice for choice in view.enum or () if choice is not None]
        is_open = all(isinstance(choice, str) for choice in values) or all(
            type(choice) is int for choice in values
        )
        if view.is_constant or not is_open:
            if value != data or type(value) is not type(data):
                yield Mismatch(path, f"{data!r}", _shown(value))
            return
        if not isinstance(value, Enum):
            yield Mismatch(path, "a member of an enum", _shown(value))
            return
        if value.value != data:
            yield Mismatch(path, f"a member with the value {data!r}", _shown(value))
        is_unknown = getattr(value, "is_unknown", None)
        if is_unknown is not (data not in values):
            yield Mismatch(path, f"is_unknown {data not in values}", f"{is_unknown}")

    def _object(
        self, value: object, view: Schema, data: Mapping[str, Json], path: str
    ) -> Iterator[Mismatch]:
        if not hints.is_model(type(value)):
            if view.is_model:
                yield Mismatch(path, f"a model{_of(view)}", _shown(value))
            elif value != data:
                yield Mismatch(path, "the object as received", _shown(value))
            return
        yield from self._class_name(value, view, path)
        attributes = self._model_hints.of(type(value))
        documented = self._documented(view)
        chosen = attributes_of(documented, attributes)
        similar = Counter(bare(name) for name in documented)
        for name, schema in documented.items():
            if name not in chosen:
                yield Mismatch(f"{path}.{name}", "an attribute", f"{type(value).__name__} has none")
                continue
            item = getattr(value, chosen[name])
            item_path = f"{path}.{name}"
            if similar[bare(name)] == 1 and not is_expected(chosen[name], name):
                yield Mismatch(item_path, "an attribute in snake case", chosen[name])
            if name in data:
                hint = attributes[chosen[name]]
                yield from self.mismatches(item, schema, data[name], hint, item_path)
            elif type(item).__name__ != "Unset":
                yield Mismatch(item_path, "UNSET for an absent property", _shown(item))
        yield from self._additional(value, attributes, view, data, path)

    def _class_name(self, value: object, view: Schema, path: str) -> Iterator[Mismatch]:
        name = type(value).__name__
        if view.component and not bare(name).startswith(bare(view.component)):
            yield Mismatch(path, f"a model{_of(view)}", name)

    def _documented(self, view: Schema) -> dict[str, Json]:
        """The properties of a schema, also those that only `required` names."""
        undescribed: dict[str, Json] = {name: {} for name in view.required}
        return {**undescribed, **view.properties}

    def _additional(
        self,
        value: Any,
        attributes: Mapping[str, Hint],
        view: Schema,
        data: Mapping[str, Json],
        path: str,
    ) -> Iterator[Mismatch]:
        names = set(data) - set(self._documented(view))
        additional = getattr(value, "additional_properties", {})
        if set(additional) != names:
            yield Mismatch(path, f"additional properties {sorted(names)}", f"{sorted(additional)}")
            return
        hint = hints.items(attributes.get("additional_properties", Any))
        schema = view.additional_schema
        for name in sorted(names):
            yield from self.mismatches(
                additional[name], schema, data[name], hint, f"{path}[{name!r}]"
            )

    def _array(
        self, value: object, view: Schema, data: list[Json], hint: Hint, path: str
    ) -> Iterator[Mismatch]:
        if not is_array(value):
            yield Mismatch(path, "a list", _shown(value))
            return
        values = value
        if len(values) != len(data):
            yield Mismatch(path, f"{len(data)} items", f"{len(values)}")
            return
        schema = view.item_schema
        lists = [member for member in hints.members(hint) if hints.is_list(member)]
        fitting = [member for member in lists if hints.fits(value, member)]
        item_hint = hints.items(fitting[0]) if fitting else Any
        for index, item in enumerate(values):
            yield from self.mismatches(item, schema, data[index], item_hint, f"{path}[{index}]")

    def _scalar(self, value: object, view: Schema, data: Json, path: str) -> Iterator[Mismatch]:
        format_name = view.keywords.get("format", "")
        if isinstance(data, str) and format_name in _TIMES and view.plain_types == _ONLY_STRINGS:
            expected_type = _TIMES[format_name]
            if type(value) is not expected_type:
                yield Mismatch(path, f"a {expected_type.__name__}", _shown(value))
            elif not same_data(text_of(value), data):
                yield Mismatch(path, data, _shown(value))
            return
        if type(value) is not type(data) or value != data:
            yield Mismatch(path, f"{data!r}", _shown(value))


def round_trip(value: Any, data: Json, path: str = "$") -> Iterator[Mismatch]:
    """What is wrong with the data of the models in a result."""
    if hints.is_model(type(value)):
        yield from _model_round_trip(value, data, path)
    elif is_array(value) and is_array(data):
        for index, (item, item_data) in enumerate(zip(value, data, strict=False)):
            yield from round_trip(item, item_data, f"{path}[{index}]")


def _model_round_trip(model: Any, data: Json, path: str) -> Iterator[Mismatch]:
    try:
        again = model.to_dict()
    except Exception as error:  # generated code can raise anything
        yield Mismatch(path, "to_dict()", f"{type(error).__name__}: {error}")
        return
    if not same_data(again, data):
        place, expected, got = difference(data, again, path)
        yield Mismatch(place, f"to_dict() with {expected}", got)


def _of(view: Schema) -> str:
    return f" of {view.component}" if view.component else ""


def _shown(value: object) -> str:
    return f"{type(value).__name__} {value!r:.120}"
