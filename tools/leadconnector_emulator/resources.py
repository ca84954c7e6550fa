"""The resources that the emulator stores, and what an operation does with them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

from .operation import Operation
from .rejection import RejectionError
from .schema import JsonObject
from .spec import Spec

CREATING_METHODS = frozenset({"POST", "PUT"})
"""The methods that create a resource when the path names a collection."""


class Resources:
    """Resources by collection and id.

    Not thread-safe: the emulator calls it under its lock.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.clear()

    def clear(self) -> None:
        """Remove every resource."""
        self._collections: dict[str, dict[str, JsonObject]] = {}
        self._numbers = itertools.count(1)

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Store a copy of a resource under its `id`."""
        resource_id = str(resource["id"])
        self._collection(collection)[resource_id] = deepcopy(dict(resource))

    def get(self, collection: str, resource_id: str) -> JsonObject | None:
        """A copy of a resource, or `None` if there is none with this id."""
        resources = self._collections.get(collection, {})
        return deepcopy(resources.get(resource_id))

    def apply(
        self,
        operation: Operation,
        path: str,
        location: str,
        changes: JsonObject,
        *,
        create_missing: bool,
    ) -> Any:
        """Carry out an operation and return the content of its response; `None` for no content.

        Args:
            operation: the operation to carry out.
            path: the raw path, which names a resource or a collection.
            location: the location that the request names; empty if it names none.
            changes: the properties of the body.
            create_missing: whether a resource that does not exist is created instead of rejected.

        Raises:
            RejectionError: 404 or 400, there is no such resource; 400, it belongs to another
                location.
        """
        resources = self._collection(operation.collection)
        resource_id = operation.resource_id(path)
        if resource_id is None and operation.method not in CREATING_METHODS:
            return self._list_content(operation, resources)

        if resource_id is None:
            resource_id = self._new_id(operation, changes)
            resources[resource_id] = _new_resource(operation, resource_id)
        elif resource_id not in resources:
            if not create_missing:
                raise _not_found(operation)
            resources[resource_id] = _new_resource(operation, resource_id)

        resource = resources[resource_id]
        # With `create_missing` a resource moves to any location. A POST creates its resource.
        if not create_missing and operation.method != "POST":
            _check_owner(operation, resource, location)
        # The response to a DELETE may contain the resource, so the steps below still apply to it.
        if operation.method == "DELETE":
            del resources[resource_id]
        _update(operation, resource, changes)
        return self._resource_content(operation, resource)

    def _collection(self, name: str) -> dict[str, JsonObject]:
        return self._collections.setdefault(name, {})

    def _new_id(self, operation: Operation, changes: JsonObject) -> str:
        """The id that the body names, otherwise a new one."""
        requested_id = changes.get("id")
        if requested_id:
            return str(requested_id)
        number = next(self._numbers)
        return f"{operation.collection}-{number}"

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

    def _list_content(self, operation: Operation, resources: Mapping[str, JsonObject]) -> Any:
        """The example of a successful response, with every resource of the collection."""
        content = self._success_content(operation)
        shape = operation.shape
        if shape is None or not shape.is_list:
            return content
        documented_parts = [shape.documented_part(resource) for resource in resources.values()]
        if shape.property_name is None:
            return documented_parts
        return {**content, shape.property_name: documented_parts}


def _new_resource(operation: Operation, resource_id: str) -> JsonObject:
    """A resource with the values of the spec's examples."""
    resource: JsonObject = {}
    if operation.shape is not None and not operation.shape.is_list:
        resource = deepcopy(operation.shape.sample)
    resource["id"] = resource_id
    return resource


def _not_found(operation: Operation) -> RejectionError:
    """404 where the operation documents it, otherwise 400."""
    status = 404 if operation.documents(404) else 400
    return RejectionError(status, f"{operation.collection}: there is none with this id")


def _check_owner(operation: Operation, resource: JsonObject, location: str) -> None:
    """Reject a request that names another location than the resource's."""
    name = operation.rate_limit_key
    if name is None or not location or name not in resource:
        return
    if str(resource[name]) != location:
        raise RejectionError(400, f"{operation.collection}: this one has another {name}")


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
