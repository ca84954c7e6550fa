"""The resources that the emulator stores, and what an operation does with them."""

from __future__ import annotations

import itertools
import sys
from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from .lists import Query, query_of_body, read_list_request, select_page, with_sort_values
from .operation import Operation
from .pagination_properties import (
    PaginationProperty,
    is_pagination_property,
    set_pagination_properties,
)
from .places import Place
from .rejection import RejectionError
from .schema import JsonObject
from .sizes import check_bound, size_of_json
from .spec import Spec

MAXIMUM_RESOURCE_BYTES = 64 * 1024 * 1024
"""The bytes of the resources that requests create or change, by default."""

RESOURCE_BYTES = 500
"""Bytes that a resource occupies besides its data and its id: its places in the mappings."""


@dataclass(frozen=True)
class _Key:
    """The place of a resource."""

    collection: str
    resource_id: str


class Resources:
    """Resources by collection and id.

    Memory is bounded: beyond `maximum_bytes`, the resources that a request created or changed and
    that were not used for the longest time are dropped. Those of `put` are the test's: instead of
    being dropped, they return to their initial version.

    Not thread-safe: the emulator calls it under its lock.

    Args:
        spec: the spec, for the examples of new resources and responses.
        maximum_bytes: the bytes of the resources that requests create or change. The one that was
            used last stays in any case.

    Raises:
        TypeError: the bound is not a number.
        ValueError: the bound is negative.
    """

    def __init__(self, spec: Spec, maximum_bytes: int = MAXIMUM_RESOURCE_BYTES) -> None:
        check_bound("resource_bytes", maximum_bytes)
        self._spec = spec
        self._maximum_bytes = maximum_bytes
        # By method and path template.
        self._pagination_properties: dict[str, list[PaginationProperty]] = {}
        self.clear()

    def clear(self) -> None:
        """Remove every resource."""
        self._collections: dict[str, dict[str, JsonObject]] = {}
        # The resources of `put`. Until a request changes one, its collection has the same object.
        self._initial_versions: dict[_Key, JsonObject] = {}
        self._numbers = itertools.count(1)
        # The sizes of the resources that requests created or changed, the one that was used last
        # at the end.
        self._sizes: OrderedDict[_Key, int] = OrderedDict()
        self._size = 0
        self.dropped = 0
        """How many resources were dropped or restored because of the bound in bytes."""

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Store a copy of a resource under its `id`."""
        resource_id = str(resource["id"])
        initial_version = deepcopy(dict(resource))
        key = _Key(collection, resource_id)
        self._collection(collection)[resource_id] = initial_version
        self._initial_versions[key] = initial_version
        self._forget_size(key)

    def get(self, collection: str, resource_id: str) -> JsonObject | None:
        """A copy of a resource, or `None` if there is none with this id."""
        resources = self._collections.get(collection, {})
        return deepcopy(resources.get(resource_id))

    def delete(self, collection: str, resource_id: str) -> bool:
        """Remove a resource; return whether there was one."""
        key = _Key(collection, resource_id)
        resource = self._collections.get(collection, {}).pop(resource_id, None)
        self._initial_versions.pop(key, None)
        self._forget_size(key)
        return resource is not None

    def counts(self) -> dict[str, int]:
        """The number of resources by collection."""
        return {name: len(resources) for name, resources in self._collections.items()}

    def ids(self, collection: str) -> list[str]:
        """The ids of a collection, in the order in which its resources were stored."""
        return list(self._collections.get(collection, {}))

    def apply(
        self,
        operation: Operation,
        path: str,
        location: str,
        changes: JsonObject,
        *,
        create_missing: bool,
        query: Query | None = None,
    ) -> Any:
        """Carry out an operation and return the content of its response; `None` for no content.

        Args:
            operation: the operation to carry out.
            path: the raw path, which names a resource or a collection.
            location: the location that the request names; empty if it names none.
            changes: the properties of the body.
            create_missing: whether a resource that does not exist is created instead of rejected.
            query: the values of the query, which select the resources of a list.

        Raises:
            RejectionError: 404 or 400, there is no such resource; 400, it belongs to another
                location.
        """
        collection = operation.collection(path)
        resources = self._collections.get(collection, {})
        resource_id = operation.resource_id(path)
        if not create_missing:
            self._check_parent(operation, path)
        if resource_id is None and not operation.creates_resource:
            search = {**query_of_body(operation, changes), **(query or {})}
            return self._list_content(operation, resources, search)

        if resource_id is None:
            resource_id = self._new_id(operation, changes)
            resource = _new_resource(operation, resource_id)
        elif resource_id in resources:
            resource = resources[resource_id]
            if changes:
                resource = self._changeable_resource(_Key(collection, resource_id))
            # With `create_missing` a resource moves to any location. A POST creates its resource.
            if not create_missing and operation.method != "POST":
                _check_owner(operation, resource, location)
        elif create_missing:
            resource = _new_resource(operation, resource_id)
        else:
            raise _not_found(operation, operation.place)

        _update(operation, resource, changes)
        key = _Key(collection, resource_id)
        # The response to a DELETE may contain the resource.
        if operation.deletes_resource:
            self.delete(collection, resource_id)
        elif resource is not self._initial_versions.get(key):
            self._collection(collection)[resource_id] = resource
            self._store_size(key, resource)
        return self._resource_content(operation, resource)

    def _check_parent(self, operation: Operation, path: str) -> None:
        """Require the resource to which a collection belongs.

        Raises:
            RejectionError: 404 or 400, there is none.
        """
        parent = operation.place.parent
        if parent is None or parent.id_parameter is None:
            return
        values = operation.path_values(path)
        if values[parent.id_parameter] not in self._collections.get(parent.name(values), {}):
            raise _not_found(operation, parent)

    def _changeable_resource(self, key: _Key) -> JsonObject:
        """A stored resource, or a copy of it if it is an initial version."""
        resource = self._collections[key.collection][key.resource_id]
        if resource is self._initial_versions.get(key):
            return deepcopy(resource)
        return resource

    def _store_size(self, key: _Key, resource: JsonObject) -> None:
        """Measure a resource that a request changed, and drop others beyond the bound."""
        self._forget_size(key)
        size = RESOURCE_BYTES + sys.getsizeof(key.resource_id) + size_of_json(resource)
        self._sizes[key] = size
        self._size += size
        while self._size > self._maximum_bytes and len(self._sizes) > 1:
            oldest_key = next(iter(self._sizes))
            self._forget_size(oldest_key)
            self._drop(oldest_key)
            self.dropped += 1

    def _drop(self, key: _Key) -> None:
        """Remove a resource, or restore its initial version."""
        resources = self._collections[key.collection]
        initial_version = self._initial_versions.get(key)
        if initial_version is None:
            del resources[key.resource_id]
        else:
            resources[key.resource_id] = initial_version

    def _forget_size(self, key: _Key) -> None:
        self._size -= self._sizes.pop(key, 0)

    def _collection(self, name: str) -> dict[str, JsonObject]:
        return self._collections.setdefault(name, {})

    def _new_id(self, operation: Operation, changes: JsonObject) -> str:
        """The id that the body names, otherwise a new one."""
        requested_id = changes.get("id")
        if requested_id:
            return str(requested_id)
        number = next(self._numbers)
        return f"{operation.place.kind}-{number}"

    def _success_content(self, operation: Operation) -> Any:
        """The example of a successful response, or `None` if it has no content."""
        if operation.success_schema is None:
            return None
        return self._spec.sample(operation.success_schema.schema)

    def _resource_content(self, operation: Operation, resource: JsonObject) -> Any:
        """The example of a successful response, with the resource in its place."""
        content = self._success_content(operation)
        shape = operation.shape
        if shape is None or shape.is_list or not isinstance(content, dict):
            return content
        documented_part = shape.documented_part(resource)
        if shape.property_name is None:
            return documented_part
        return {**cast("JsonObject", content), shape.property_name: documented_part}

    def _list_content(
        self, operation: Operation, resources: Mapping[str, JsonObject], query: Query
    ) -> Any:
        """The example of a successful response, with the resources that the query selects."""
        content = self._success_content(operation)
        shape = operation.shape
        if shape is None or not shape.is_list:
            return content
        request = read_list_request(operation, shape, query)
        complete_resources = with_sort_values(
            shape, [shape.complete(resource) for resource in resources.values()]
        )
        page = select_page(request, complete_resources)
        documented_parts = [shape.documented_part(resource) for resource in page.resources]
        if shape.property_name is None:
            return documented_parts
        list_content: JsonObject = {**content, shape.property_name: documented_parts}
        properties = self._pagination_properties_of(operation)
        set_pagination_properties(list_content, properties, page)
        return list_content

    def _pagination_properties_of(self, operation: Operation) -> list[PaginationProperty]:
        """The properties with which a response of a list operation describes its page."""
        name = f"{operation.method} {operation.path}"
        if name not in self._pagination_properties:
            properties: list[PaginationProperty] = []
            if operation.success_schema is not None:
                schema = operation.success_schema.schema
                properties = self._find_pagination_properties(schema, None)
            self._pagination_properties[name] = properties
        return self._pagination_properties[name]

    def _find_pagination_properties(
        self, schema: JsonObject, parent: str | None
    ) -> list[PaginationProperty]:
        """The properties of a response, and of the objects in it."""
        properties: list[PaginationProperty] = []
        required = self._spec.required(schema)
        for name, child in self._spec.properties(schema).items():
            if is_pagination_property(name):
                compiled = self._spec.compile(child)
                properties.append(PaginationProperty(parent, name, compiled, name in required))
            elif parent is None and self._spec.properties(child):
                properties += self._find_pagination_properties(child, name)
        return properties


def _new_resource(operation: Operation, resource_id: str) -> JsonObject:
    """A resource with the values of the spec's examples."""
    resource: JsonObject = {}
    if operation.shape is not None and not operation.shape.is_list:
        resource = deepcopy(operation.shape.sample)
    resource["id"] = resource_id
    return resource


def _not_found(operation: Operation, place: Place) -> RejectionError:
    """404 where the operation documents it, otherwise 400."""
    status = 404 if operation.documents(404) else 400
    return RejectionError(status, f"{place.kind}: there is none with this id")


def _check_owner(operation: Operation, resource: JsonObject, location: str) -> None:
    """Reject a request that names another location than the resource's."""
    name = operation.rate_limit_key
    if name is None or not location or name not in resource:
        return
    if str(resource[name]) != location:
        raise RejectionError(400, f"{operation.place.kind}: this one has another {name}")


def _update(operation: Operation, resource: JsonObject, changes: JsonObject) -> None:
    """Apply the documented properties of the body, unless the response could not show the value."""
    # A spec may type a property differently in requests and responses. The emulator must not
    # store what a later response could not contain.
    shape = operation.shape
    for name, value in changes.items():
        if name not in operation.body_properties:
            continue
        if shape is None or shape.accepts(name, value):
            resource[name] = deepcopy(value)
