"""Makes Python values from JSON data, as the type hints of methods and models want them."""

from __future__ import annotations

import datetime
import inspect
import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from benchmarks.long.conformance import hints
from benchmarks.long.conformance.documents import Json, is_array, is_object
from benchmarks.long.conformance.hints import Hint, ModelHints
from benchmarks.long.conformance.names import attributes_of
from benchmarks.long.conformance.schemas import Schema, Schemas


class ArgumentTypeError(Exception):
    """No type of a hint can hold a documented value."""

    def __init__(self, path: str, hint: Hint, value: Json) -> None:
        super().__init__(f"{hints.describe(hint)} cannot hold {value!r:.80}")
        self.path = path
        self.hint = hint
        self.value = value


def _moment(text: str) -> datetime.datetime:
    """The time that a text states, with its zone (RFC 3339, section 5.6).

    Raises:
        ValueError: it states none, such as the text of a date.
    """
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


_SCALARS: Mapping[str, Callable[[str], object]] = {
    "datetime": _moment,
    "date": datetime.date.fromisoformat,
    "UUID": uuid.UUID,
}


class Arguments:
    """Makes the values of arguments.

    Args:
        schemas: the schemas of requests.
        model_hints: the hints of the models.
    """

    def __init__(self, schemas: Schemas, model_hints: ModelHints) -> None:
        self._schemas = schemas
        self._model_hints = model_hints

    def typed(self, value: Json, schema: Json, hint: Hint, path: str) -> object:
        """A value as a model, enum member or date, where the hint has such a type.

        Raises:
            ArgumentTypeError: the hint has no type for the value.
        """
        failures: list[ArgumentTypeError] = []
        for view in self._views(schema, value):
            try:
                return self._as_view(value, view, hint, path)
            except ArgumentTypeError as error:
                # Several branches of a union can accept the value.
                failures.append(error)
        raise failures[0]

    def _as_view(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        failures: list[ArgumentTypeError] = []
        members = self._in_order(hints.members(hint), view)
        for convert in (
            self._model,
            self._enum_member,
            self._scalar,
            self._list,
            self._mapping,
            self._plain,
        ):
            for member in members:
                try:
                    converted = convert(value, view, member, path)
                except ArgumentTypeError as error:
                    failures.append(error)
                    continue
                if converted is not _NOTHING:
                    return converted
        raise failures[0] if failures else ArgumentTypeError(path, hint, value)

    def plain(self, value: Json, schema: Json, hint: Hint, path: str) -> object:
        """A value as mapping or text where the hint allows that, otherwise as in `typed`.

        Raises:
            ArgumentTypeError: the hint has no type for the value.
        """
        for member in hints.members(hint):
            if is_object(value) and hints.is_mapping(member):
                return cast("object", value)
            if isinstance(value, str) and member is str:
                return value
        return self.typed(value, schema, hint, path)

    def _views(self, schema: Json, value: Json) -> Iterator[Schema]:
        """The schema, or the branches of it that accept the value."""
        view = self._schemas.view(schema)
        branches = [
            branch
            for branch in view.branches
            if self._schemas.accepts(branch, value) and self._is_selected(view, branch, value)
        ]
        for branch in branches:
            yield from self._views(branch, value)
        if not branches:
            yield view

    def _is_selected(self, view: Schema, branch: Json, value: Json) -> bool:
        discriminator = view.keywords.get("discriminator")
        if discriminator is None or not is_object(value):
            return True
        component = self._schemas.view(branch).component
        mapping: Mapping[str, str] = discriminator.get("mapping", {})
        selector = str(value.get(discriminator["propertyName"]))
        return mapping.get(selector, selector).rpartition("/")[2] == component

    def _in_order(self, members: list[Hint], view: Schema) -> list[Hint]:
        """The members of a hint, first those that have the properties of the schema."""

        def strangers(member: Hint) -> tuple[bool, int]:
            if not hints.is_model(member):
                return (False, 0)
            attributes = self._model_hints.of(member)
            missing = len(view.properties) - len(attributes_of(view.properties, attributes))
            surplus = len(attributes) - len(view.properties)
            is_named = member.__name__.lower() == view.component.replace("_", "").lower()
            return (not is_named, missing * 1000 + abs(surplus))

        return sorted(members, key=strangers)

    def _model(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        if not hints.is_model(hint) or not is_object(value):
            return _NOTHING
        return self.model(hint, value, view, path)

    def model(self, model: type[Any], value: Mapping[str, Json], view: Schema, path: str) -> object:
        """A model, made with its constructor.

        Raises:
            ArgumentTypeError: a type of an attribute cannot hold its value.
        """
        attributes = self._model_hints.of(model)
        parameters = inspect.signature(model).parameters
        chosen = attributes_of([*view.properties, *sorted(view.required)], parameters)
        arguments: dict[str, object] = {}
        additional: dict[str, object] = {}
        for name, item in value.items():
            item_path = f"{path}.{name}"
            attribute = chosen.get(name)
            if attribute is not None:
                schema = view.properties.get(name, {})
                arguments[attribute] = self.typed(item, schema, attributes[attribute], item_path)
                continue
            hint = hints.items(attributes.get("additional_properties", Any))
            schema = view.additional_schema
            additional[name] = self.typed(item, schema, hint, item_path)
        try:
            made = model(**arguments)
        except TypeError as error:
            # It has no such argument, or needs another one.
            raise ArgumentTypeError(path, model, value) from error
        for name, item in additional.items():
            made[name] = item
        return made

    def _enum_member(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        if not hints.is_enum(hint):
            return _NOTHING
        for member in hint:
            # In Python, 1 and True are equal.
            if type(member.value) is type(value) and member.value == value:
                return member
        return _NOTHING

    def _scalar(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        name = getattr(hint, "__name__", "")
        if not isinstance(value, str):
            return _NOTHING
        if name == "File":
            return hint(
                payload=io.BytesIO(value.encode()), file_name="name.txt", mime_type="text/x-test"
            )
        if name not in _SCALARS:
            return _NOTHING
        try:
            return _SCALARS[name](value)
        except ValueError:
            return _NOTHING

    def _list(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        if not hints.is_list(hint) or not is_array(value):
            return _NOTHING
        return [
            self.typed(item, view.item_schema, hints.items(hint), f"{path}[{index}]")
            for index, item in enumerate(value)
        ]

    def _mapping(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        if not hints.is_mapping(hint) or not is_object(value):
            return _NOTHING
        return cast("object", value)

    def _plain(self, value: Json, view: Schema, hint: Hint, path: str) -> object:
        if hints.fits(value, hint):
            return value
        return _NOTHING


class _Nothing:
    """The type of `_NOTHING`."""


_NOTHING = _Nothing()
"""A hint has no type for a value. `None` is a value."""
