"""Turns extracted operations into additions to the spec: named, tagged and shared as it does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generate.credentials import is_bearer, security_requirements
from generate.document import (
    Document,
    Node,
    Operation,
    Schema,
    is_list,
    is_mapping,
    json_pointer,
)
from generate.walk import is_data, keys_are_names

from .errors import AdoptionError
from .names import component_name, free_name, key_of, operation_id, tag_name
from .shapes import shape
from .style import in_style

_VERSION = "Version"
_TEXTS = ("description", "summary", "title")


@dataclass
class Conversion:
    """What an adoption adds to the spec, and what a person should know about it."""

    additions: Schema = field(default_factory=dict[str, Any])
    """The new members of the spec's mappings, nested as in the spec."""
    operations: list[str] = field(default_factory=list[str])
    """The new operations, as `GET /path: operationId`."""
    new_components: list[str] = field(default_factory=list[str])
    reused_components: list[str] = field(default_factory=list[str])
    pointers: dict[str, str] = field(default_factory=dict[str, str])
    """The component of the spec for each component of the published document."""
    reviews: list[str] = field(default_factory=list[str])
    """What a person should review."""


@dataclass(frozen=True)
class Predecessors:
    """The parts of a spec in whose places converted ones come. They keep their names."""

    operations: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """The operations by label."""
    components: Sequence[str] = ()
    """The JSON pointers of the components that nothing else uses."""
    counterparts: Mapping[str, str] = field(default_factory=dict[str, str])
    """The pointers of components of the spec by those of published ones at the same places."""
    marked: Collection[str] = ()
    """The pointers of the published components that are not to be shared with the spec."""


def convert(
    extracted: Document, spec: Document, predecessors: Predecessors | None = None
) -> Conversion:
    """Convert extracted operations.

    Args:
        extracted: a document with the operations and all that they reach. It stays as it is.
        spec: the spec to which they are added.
        predecessors: in whose places they come. The spec is without these.

    Raises:
        AdoptionError: the spec has no security scheme with a bearer token.
    """
    return _Converter(extracted, spec, predecessors or Predecessors()).run()


class _Converter:
    def __init__(self, extracted: Document, spec: Document, predecessors: Predecessors) -> None:
        self._extracted = extracted
        self._spec = spec
        self._predecessors = predecessors
        self._free_predecessors: dict[str, list[str]] = {}
        """The names of preceding components that no new one has taken over, by kind."""
        for pointer in predecessors.components:
            _, _, kind, name = pointer.split("/")
            self._free_predecessors.setdefault(kind, []).append(name)
        self._result = Conversion()
        self._pointers = self._result.pointers
        self._spec_keys: dict[str, dict[str, str]] = {}
        self._taken: dict[str, set[str]] = {}
        self._operation_ids = {
            str(operation.node.get("operationId")) for operation in spec.operations()
        }

    def run(self) -> Conversion:
        """Convert all operations and components."""
        components = list(self._components())
        prefix = self._prefix()
        for component in components:
            self._name(component, prefix)
        for operation in self._extracted.operations():
            self._add_operation(operation)
        for component in components:
            target = self._pointers[component.pointer]
            if not self._is_in_spec(target):
                self._add(target, self._converted(component))
        return self._result

    def _components(self) -> Iterator[Node]:
        for kind, container in self._extracted.top.child("components").entries():
            if kind == "securitySchemes":
                continue
            for _, component in container.entries():
                if not self._is_version(component):
                    yield component

    def _prefix(self) -> str:
        """What distinguishes names of these operations from those of others: their tag."""
        for operation in self._extracted.operations():
            return tag_name(operation.path)
        return ""

    def _name(self, component: Node, prefix: str) -> None:
        _, _, kind, _ = component.pointer.split("/")
        name = component_name(component.pointer.rpartition("/")[2])
        new_name = self._predecessor(component, kind, name, prefix)
        if new_name is None:
            twin = self._equal_component(component, kind, name, prefix)
            if twin is not None:
                self._pointers[component.pointer] = json_pointer("components", kind, twin)
                if twin not in self._result.reused_components:
                    self._result.reused_components.append(twin)
                return
            new_name = free_name(name, prefix, self._taken_names(kind))
            self._result.new_components.append(new_name)
        self._taken_names(kind).add(key_of(new_name))
        self._pointers[component.pointer] = json_pointer("components", kind, new_name)

    def _predecessor(self, component: Node, kind: str, name: str, prefix: str) -> str | None:
        """The name of the component that a published one replaces."""
        names = self._free_predecessors.get(kind, [])
        counterpart = self._predecessors.counterparts.get(component.pointer, "").rpartition("/")[2]
        candidates = [
            candidate for candidate in names if _is_variant(key_of(candidate), name, prefix)
        ]
        if counterpart in names:
            candidates.insert(0, counterpart)
        if not candidates:
            return None
        names.remove(candidates[0])
        return candidates[0]

    def _equal_component(self, component: Node, kind: str, name: str, prefix: str) -> str | None:
        """A component of the spec that describes the same data, with a similar name or place."""
        if component.pointer in self._predecessors.marked:
            return None
        counterpart = self._predecessors.counterparts.get(component.pointer, "").rpartition("/")[2]
        component_shape = shape(self._extracted, component)
        for candidate_name, key in self._keys_of_spec(kind).items():
            is_similar = _is_similar(key, name, prefix) or candidate_name == counterpart
            if not is_similar:
                continue
            candidate = self._spec.top.child("components", kind, candidate_name)
            if shape(self._spec, candidate) == component_shape:
                return candidate_name
        return None

    def _keys_of_spec(self, kind: str) -> dict[str, str]:
        """The key of each component of the spec, by its name."""
        if kind not in self._spec_keys:
            names = self._spec.top.child("components", kind).mapping
            self._spec_keys[kind] = {name: key_of(name) for name in names}
        return self._spec_keys[kind]

    def _taken_names(self, kind: str) -> set[str]:
        if kind not in self._taken:
            self._taken[kind] = set(self._keys_of_spec(kind).values())
        return self._taken[kind]

    def _is_in_spec(self, pointer: str) -> bool:
        _, _, kind, name = pointer.split("/")
        return name in self._spec.top.child("components", kind).mapping

    def _add(self, pointer: str, value: Any) -> None:
        *parents, last = pointer.removeprefix("/").split("/")
        container = self._result.additions
        for name in parents:
            container = container.setdefault(name, {})
        container[last] = value

    def _add_operation(self, operation: Operation) -> None:
        converted: Schema = self._converted(operation.node)
        existing = self._predecessors.operations.get(operation.label, {})
        tags = existing.get("tags") or [self._tag(operation.path)]
        name = existing.get("operationId") or self._operation_id(operation, str(tags[0]))
        parameters = [
            self._version_reference(reference) or self._converted(reference)
            for reference in operation.node.child("parameters").elements()
        ]
        members: Schema = {**converted, "operationId": name, "tags": tags}
        members["security"] = existing.get("security") or [{self._bearer_scheme(): []}]
        if parameters:
            members["parameters"] = parameters
        paths = self._result.additions.setdefault("paths", {})
        paths.setdefault(operation.path, {})[operation.method] = in_style(members)
        if not existing:
            self._result.operations.append(f"{operation.label}: {name}")
        self._review(operation)

    def _operation_id(self, operation: Operation, tag: str) -> str:
        published_id = operation.node.get("operationId")
        words = published_id or f"{operation.method} {operation.path}"
        if not operation_id(str(words)):
            words = f"{operation.method} {operation.path}"
        name = operation_id(str(words))
        if name in self._operation_ids:
            name = operation_id(f"{tag} {words}")
        number = 2
        free = name
        while free in self._operation_ids:
            free = f"{name}{number}"
            number += 1
        self._operation_ids.add(free)
        return free

    def _tag(self, path: str) -> str:
        """The tag of a path as the spec spells it. A new one is added to its list of tags."""
        name = tag_name(path)
        new_tags: list[Schema] = self._result.additions.get("tags", [])
        for tag in [*self._spec.top.child("tags").elements(), *map(_as_node, new_tags)]:
            if key_of(str(tag.get("name"))) == key_of(name):
                return str(tag.get("name"))
        self._result.additions.setdefault("tags", []).append({"name": name})
        return name

    def _bearer_scheme(self) -> str:
        for name, reference in self._spec.top.child("components", "securitySchemes").entries():
            if is_bearer(self._spec.resolve(reference)):
                return name
        raise AdoptionError(
            f"{self._spec.path}: has no security scheme with a bearer token:"
            " add one to components.securitySchemes"
        )

    def _is_version(self, node: Node) -> bool:
        return bool(node.get("in") == "header" and node.get("name") == _VERSION)

    def _version_reference(self, reference: Node) -> Schema | None:
        """A reference to the spec's parameter for a version; None for another parameter."""
        parameter = self._extracted.resolve(reference)
        if not self._is_version(parameter):
            return None
        values = self._extracted.resolve(parameter.child("schema")).child("enum").sequence
        if len(values) != 1:
            return None
        version = str(values[0])
        for name, candidate in self._spec.top.child("components", "parameters").entries():
            schema = self._spec.resolve(candidate.child("schema"))
            if self._is_version(candidate) and schema.get("enum") == [version]:
                return {"$ref": f"#{json_pointer('components', 'parameters', name)}"}
        return self._new_version_reference(version, parameter)

    def _new_version_reference(self, version: str, parameter: Node) -> Schema:
        suffix = component_name(version)
        schema_pointer = json_pointer("components", "schemas", f"ApiVersion{suffix}")
        pointer = json_pointer("components", "parameters", f"{_VERSION}{suffix}")
        python_name = "".join(letter if letter.isalnum() else "_" for letter in version).upper()
        self._add(
            schema_pointer,
            {
                "type": "string",
                "description": "API Version",
                "enum": [version],
                "x-enum-varnames": [f"V{python_name.removeprefix('V')}"],
            },
        )
        self._add(
            pointer,
            {
                "name": _VERSION,
                "in": "header",
                "required": bool(parameter.get("required")),
                "description": "API Version",
                "x-role": "api-version",
                "schema": {"$ref": f"#{schema_pointer}"},
            },
        )
        return {"$ref": f"#{pointer}"}

    def _converted(self, node: Node) -> Any:
        """A copy with references into the spec and without empty descriptions."""
        if is_list(node.value):
            return [self._converted(child) for child in node.elements()]
        if not is_mapping(node.value):
            return node.value
        has_names = keys_are_names(node.pointer)
        reference = node.get("$ref")
        if isinstance(reference, str) and not has_names:
            return {"$ref": f"#{self._pointers[reference.removeprefix('#')]}"}
        if has_names:
            return {name: self._converted(child) for name, child in node.entries()}
        copy: Schema = {}
        for key, child in node.entries():
            if not _is_superfluous(node, key, child):
                copy[key] = self._converted_member(node, key, child)
        return in_style(copy)

    def _converted_member(self, node: Node, key: str, child: Node) -> Any:
        if key == "mapping" and node.pointer.endswith("/discriminator"):
            return self._converted_mapping(child)
        if is_data(key):
            return child.value
        if key in _TEXTS:
            return _clean_text(child.value)
        return self._converted(child)

    def _converted_mapping(self, mapping: Node) -> Schema:
        copy: Schema = {}
        for value, target in mapping.entries():
            pointer = str(target.value).removeprefix("#")
            if not pointer.startswith("/"):
                pointer = json_pointer("components", "schemas", pointer)
            copy[value] = f"#{self._pointers.get(pointer, pointer)}"
        return copy

    def _review(self, operation: Operation) -> None:
        """Note what is often wrong in published documents, and cannot be decided here."""
        if security_requirements(self._extracted, operation).value is None:
            self._add_review(operation, "does not say which token it needs")
        for status, reference in operation.node.child("responses").entries():
            if not status.startswith("2") or status == "204":
                continue
            response = self._extracted.resolve(reference)
            schemas = [media.child("schema") for _, media in response.child("content").entries()]
            if not schemas:
                self._add_review(operation, f"describes no body of the response {status}")
            for schema in schemas:
                resolved = self._extracted.resolve(schema)
                if not resolved.mapping.keys() - {"type", "description", "title", "example"}:
                    self._add_review(operation, f"says nothing about the body of {status}")
        if "requestBody" not in operation.node.mapping and operation.method in ("post", "put"):
            self._add_review(operation, "describes no request body")

    def _add_review(self, operation: Operation, problem: str) -> None:
        source = self._extracted.sources.source(operation.pointer)
        text = f"{source}: {operation.label} {problem}"
        if text not in self._result.reviews:
            self._result.reviews.append(text)


def _is_similar(component_key: str, name: str, prefix: str) -> bool:
    """Whether one name begins with the other, or the component has the name with a prefix."""
    keys = sorted([component_key, key_of(name)], key=len)
    return keys[1].startswith(keys[0]) or _is_variant(component_key, name, prefix)


def _is_variant(component_key: str, name: str, prefix: str) -> bool:
    """Whether `free_name` would give a component of this name that key."""
    pattern = f"(?:{re.escape(key_of(prefix))})?{re.escape(key_of(name))}[0-9]*"
    return re.fullmatch(pattern, component_key) is not None


def _as_node(value: Schema) -> Node:
    return Node(value, "")


def _is_superfluous(node: Node, key: str, child: Node) -> bool:
    """Whether a member says nothing: the default of `required`, or a text without characters."""
    if key == "required":
        return child.value is False
    # A response must have a description, even an empty one.
    if key not in _TEXTS or "/responses/" in node.pointer:
        return False
    return not _clean_text(child.value)


def _clean_text(text: Any) -> str:
    """A text without the spaces that are invisible at the ends of its lines."""
    lines = [line.rstrip() for line in str(text).strip().splitlines()]
    return "\n".join(lines)
