"""Moves what the spec refers to in other files into the spec, because the generator reads one file.

A part that is not a component, such as `#/paths/~1pets/get/responses/200`, becomes one too: the
generator follows references to components only.
"""

from __future__ import annotations

import re
from collections import deque
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from specdrift.loading import ComparisonError, ParsedFile, ReferencedFiles
from specdrift.model import document as spec_model

from ..document import (
    Schema,
    SpecError,
    error_at,
    is_list,
    is_mapping,
    json_pointer,
    raise_together,
)
from ..sources import Origin, Sources
from ..walk import is_data, keys_are_names

_COMPONENT = re.compile(r"/components/(?P<kind>[^/]+)/[^/]+")
_SCHEMA = re.compile(r"/components/schemas/|.*/schema(/|$)")
_PATH_ITEM = re.compile(r"/(paths|webhooks)/[^/]+")
_NO_NAME_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
"""OpenAPI 3.1, "Components Object": the other characters may be part of a component's name."""

_KINDS = (
    # The place of a reference says what it leads to.
    (re.compile(r".*/parameters/[^/]+"), "parameters"),
    (re.compile(r".*/responses/[^/]+"), "responses"),
    (re.compile(r".*/requestBody"), "requestBodies"),
    (re.compile(r".*/headers/[^/]+"), "headers"),
    (re.compile(r".*/links/[^/]+"), "links"),
    (re.compile(r".*/callbacks/[^/]+"), "callbacks"),
)

_STRUCTURE = frozenset(
    {"additionalProperties", "allOf", "anyOf", "content", "items", "oneOf", "properties", "schema"}
)
"""Names in a JSON pointer that say nothing about the part that it leads to."""


def bundle(file: ParsedFile, files: ReferencedFiles) -> tuple[Schema, Sources]:
    """Return a document without references to other files, and the origins of its parts.

    Raises:
        SpecError: references to other files lead nowhere. The message lists all of them.
    """
    bundling = _Bundling(file, files)
    root = bundling.run()
    raise_together(bundling.errors)
    return root, Sources(file, bundling.origins)


@dataclass(frozen=True)
class _Place:
    """The place of a value: in its file, and in the bundled document."""

    file: str
    """The path of the file from the document; empty for the document itself."""
    pointer: str
    bundled_pointer: str

    def child(self, key: object) -> _Place:
        """The place of a member."""
        step = json_pointer(key)
        return _Place(self.file, self.pointer + step, self.bundled_pointer + step)


@dataclass(frozen=True)
class _Part:
    """A part that becomes a component."""

    target: spec_model.Node
    kind: str
    name: str

    @property
    def component_pointer(self) -> str:
        return json_pointer("components", self.kind, self.name)

    @property
    def place(self) -> _Place:
        return _Place(self.target.file, self.target.pointer, self.component_pointer)


class _Bundling:
    """The bundled parts so far, and those that are still to be copied."""

    def __init__(self, file: ParsedFile, files: ReferencedFiles) -> None:
        self._main_file = file
        self._files = files
        self._document = spec_model.Document(file.data, files)
        self._parts: dict[tuple[str, str], _Part] = {}
        self._pending: deque[_Part] = deque()
        self._names: dict[str, set[str]] = {}
        for kind, components in _mapping(file.data, "components").items():
            if is_mapping(components):
                self._names[kind] = set(components)
        self._missing_files: set[str] = set()
        self.origins: dict[str, Origin] = {}
        self.errors: list[SpecError] = []

    def run(self) -> Schema:
        """Copy the document and all parts that it refers to."""
        root: Schema = self._copied(self._main_file.data, _Place("", "", ""))
        while self._pending:
            part = self._pending.popleft()
            components = root.setdefault("components", {}).setdefault(part.kind, {})
            components[part.name] = self._copied(part.target.value, part.place)
        return root

    def _copied(self, value: Any, place: _Place) -> Any:
        """A deep copy of a value with references into the bundled document.

        The copy shares no parts: an alias in YAML is one object at several places.
        """
        if is_list(value):
            return [self._copied(child, place.child(i)) for i, child in enumerate(value)]
        if not is_mapping(value):
            return value
        has_names = keys_are_names(place.bundled_pointer)
        if isinstance(value.get("$ref"), str) and not has_names:
            return self._copied_reference(value, place)
        copy: Schema = {}
        for key, child in value.items():
            if is_data(key) and not has_names:
                copy[key] = deepcopy(child)
            elif key == "mapping" and place.pointer.endswith("/discriminator"):
                copy[key] = self._copied_mapping_of_names(child, place.child(key))
            else:
                copy[key] = self._copied(child, place.child(key))
        return copy

    def _copied_reference(self, value: Schema, place: _Place) -> Any:
        reference: str = value["$ref"]
        siblings = {key: deepcopy(child) for key, child in value.items() if key != "$ref"}
        if place.file == "" and _is_reference_to_component(reference):
            return {"$ref": reference, **siblings}
        target = self._target(reference, place)
        if target is None:
            return {"$ref": reference, **siblings}
        if _PATH_ITEM.fullmatch(place.bundled_pointer):
            # The generator follows no reference here.
            self._record_origin(place.bundled_pointer, target)
            return self._copied(
                target.value, _Place(target.file, target.pointer, place.bundled_pointer)
            )
        pointer = self._component_of(target, _kind(place.bundled_pointer, target.pointer))
        return {"$ref": f"#{pointer}", **siblings}

    def _copied_mapping_of_names(self, mapping: Any, place: _Place) -> Any:
        """The mapping of a discriminator. Its values are references, or names of components."""
        if not is_mapping(mapping):
            return mapping
        copy: Schema = {}
        for value, reference in mapping.items():
            copy[value] = reference
            is_reference = isinstance(reference, str) and ("#" in reference or "." in reference)
            if not is_reference or (place.file == "" and _is_reference_to_component(reference)):
                continue
            target = self._target(reference, place.child(value))
            if target is not None:
                copy[value] = f"#{self._component_of(target, 'schemas')}"
        return copy

    def _target(self, reference: str, place: _Place) -> spec_model.Node | None:
        """The value that a reference finally leads to; None if it leads nowhere."""
        try:
            target = self._found(reference, place.file)
            while target is not None and target.reference is not None:
                if _is_component_of_document(target):
                    break
                target = self._found(target.reference, target.file)
        except ComparisonError as error:
            self._add_missing_file(reference, place, error)
            return None
        # A broken reference within the document has a check of its own.
        if target is None and (place.file or not reference.startswith("#")):
            self._add_error(place, f"$ref {reference!r} points to nothing")
        return target

    def _found(self, reference: str, file: str) -> spec_model.Node | None:
        """The value that a reference leads to, by the first path of its file.

        A file can be read by several paths. That of the document is empty, and a file that refers
        back to it uses its name. A part would become a component for each path.
        """
        target = self._document.find(reference, file)
        if target is None:
            return None
        parsed_files = self._files.parsed_files
        parsed_file = parsed_files[target.file]
        paths = [path for path, other_file in parsed_files.items() if other_file is parsed_file]
        if paths[0] == target.file:
            return target
        return self._document.find(f"#{quote(target.pointer)}", paths[0])

    def _component_of(self, target: spec_model.Node, kind: str) -> str:
        """The JSON pointer of the component that a part is, or becomes."""
        if _is_component_of_document(target):
            return target.pointer
        key = (target.file, target.pointer)
        if key not in self._parts:
            part = _Part(target, kind, self._free_name(kind, _name_of(target)))
            self._parts[key] = part
            self._pending.append(part)
            self._record_origin(part.component_pointer, target)
        return self._parts[key].component_pointer

    def _free_name(self, kind: str, name: str) -> str:
        names = self._names.setdefault(kind, set())
        free_name = name
        number = 2
        while free_name in names:
            free_name = f"{name}{number}"
            number += 1
        names.add(free_name)
        return free_name

    def _record_origin(self, pointer: str, target: spec_model.Node) -> None:
        file = self._files.parsed_files[target.file]
        self.origins[pointer] = Origin(file, target.pointer)

    def _add_missing_file(self, reference: str, place: _Place, error: ComparisonError) -> None:
        """Report a file that cannot be read, at the first of the references to it."""
        file = spec_model.file_of(reference.partition("#")[0], place.file)
        if file not in self._missing_files:
            self._missing_files.add(file)
            self._add_error(place, _without_options(str(error)))

    def _add_error(self, place: _Place, message: str) -> None:
        source = self._files.parsed_files[place.file].source(place.pointer)
        self.errors.append(error_at(source, place.pointer, message))


def _is_reference_to_component(reference: str) -> bool:
    return reference.startswith("#") and _COMPONENT.fullmatch(unquote(reference[1:])) is not None


def _is_component_of_document(target: spec_model.Node) -> bool:
    return target.file == "" and _COMPONENT.fullmatch(target.pointer) is not None


def _kind(pointer: str, target_pointer: str) -> str:
    """The kind of component that a reference at a pointer of the bundled document leads to."""
    component = _COMPONENT.fullmatch(pointer)
    if component:
        return component["kind"]
    if not _SCHEMA.match(pointer):
        for pattern, kind in _KINDS:
            if pattern.fullmatch(pointer):
                return kind
    target = _COMPONENT.fullmatch(target_pointer)
    if target:
        return target["kind"]
    return "schemas"


def _name_of(target: spec_model.Node) -> str:
    """A name for a part: its title, or what its pointer and file say."""
    title = target.value.get("title") if is_mapping(target.value) else None
    if isinstance(title, str) and _NO_NAME_CHARACTERS.search(title) is None and title:
        return title
    tokens = [spec_model.unescaped(token) for token in target.pointer.split("/")[1:]]
    names = [token for token in tokens if token not in _STRUCTURE and not token.isdecimal()]
    if names:
        return _NO_NAME_CHARACTERS.sub("_", names[-1]).strip("_") or "Part"
    stem = target.file.rpartition("/")[2].partition(".")[0]
    return _NO_NAME_CHARACTERS.sub("_", stem).strip("_") or "Part"


def _without_options(message: str) -> str:
    """A message of the loader without its advice about options, which `make generate` lacks."""
    problem, _, _ = message.partition(": `--")
    # The message names the place of the reference first, as ours does.
    return problem.partition(": ")[2]


def _mapping(value: Any, key: str) -> Schema:
    child = value.get(key) if is_mapping(value) else None
    return child if is_mapping(child) else {}
