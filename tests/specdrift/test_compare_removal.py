"""Verifies for every element of a document what its removal and its return report."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import compare

from tests.specdrift.documents import (
    Json,
)

FULL_DOCUMENT: Json = {
    "openapi": "3.1.0",
    "paths": {
        "/pets": {
            "put": {
                "parameters": [
                    {
                        "name": "q",
                        "in": "query",
                        "schema": {"type": "string", "enum": ["a", "b"], "maxLength": 9},
                    },
                    {
                        "name": "X-Trace",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 1},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name", "tags"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1, "pattern": "^a"},
                                    "kind": {"type": "string", "enum": ["cat", "dog", "cow"]},
                                    "tags": {
                                        "type": "array",
                                        "maxItems": 3,
                                        "items": {"type": "string"},
                                    },
                                },
                            }
                        },
                        "text/csv": {},
                    },
                },
                "responses": {
                    "200": {
                        "headers": {
                            "X-Left": {"required": True, "schema": {"type": "integer"}},
                            "X-Of": {"schema": {"type": "integer", "maximum": 9}},
                        },
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["id"],
                                    "properties": {
                                        "id": {"type": "string", "pattern": "^b", "maxLength": 8},
                                        "state": {"type": "string", "enum": ["on", "off", "lost"]},
                                        "size": {
                                            "type": "number",
                                            "exclusiveMinimum": 0,
                                            "multipleOf": 2,
                                        },
                                    },
                                }
                            },
                            "application/xml": {},
                        },
                    },
                    "204": {},
                    "404": {},
                },
            }
        }
    },
}
"""A document that has every element of `REMOVABLE`."""

OPERATION = ("paths", "/pets", "put")
REQUEST_SCHEMA = (*OPERATION, "requestBody", "content", "application/json", "schema")
RESPONSE_SCHEMA = (*OPERATION, "responses", "200", "content", "application/json", "schema")

ElementPath = tuple[str | int, ...]

# The path of an element; the id that its removal reports, and the id that adding it reports.
REMOVABLE: dict[ElementPath, tuple[str, str]] = {
    (*OPERATION, "parameters", 0): ("request-parameter-removed", "new-optional-request-parameter"),
    (*OPERATION, "parameters", 1): ("request-parameter-removed", "new-required-request-parameter"),
    (*OPERATION, "parameters", 1, "required"): (
        "request-parameter-became-optional",
        "request-parameter-became-required",
    ),
    (*OPERATION, "parameters", 0, "schema", "enum", 1): (
        "request-parameter-enum-value-removed",
        "request-parameter-enum-value-added",
    ),
    (*OPERATION, "parameters", 0, "schema", "enum"): (
        "request-parameter-became-not-enum",
        "request-parameter-became-enum",
    ),
    (*OPERATION, "parameters", 0, "schema", "maxLength"): (
        "request-parameter-max-length-unset",
        "request-parameter-max-length-set",
    ),
    (*OPERATION, "parameters", 1, "schema", "minimum"): (
        "request-parameter-min-unset",
        "request-parameter-min-set",
    ),
    (*OPERATION, "requestBody"): ("request-body-removed", "request-body-added-required"),
    (*OPERATION, "requestBody", "required"): (
        "request-body-became-optional",
        "request-body-became-required",
    ),
    (*OPERATION, "requestBody", "content", "text/csv"): (
        "request-body-media-type-removed",
        "request-body-media-type-added",
    ),
    (*REQUEST_SCHEMA, "required", 0): (
        "request-property-became-optional",
        "request-property-became-required",
    ),
    (*REQUEST_SCHEMA, "properties", "kind"): (
        "request-property-removed",
        "new-optional-request-property",
    ),
    (*REQUEST_SCHEMA, "properties", "kind", "enum", 0): (
        "request-property-enum-value-removed",
        "request-property-enum-value-added",
    ),
    (*REQUEST_SCHEMA, "properties", "name", "pattern"): (
        "request-property-pattern-removed",
        "request-property-pattern-added",
    ),
    (*REQUEST_SCHEMA, "properties", "name", "minLength"): (
        "request-property-min-length-decreased",
        "request-property-min-length-increased",
    ),
    (*REQUEST_SCHEMA, "properties", "tags", "maxItems"): (
        "request-property-max-items-unset",
        "request-property-max-items-set",
    ),
    (*REQUEST_SCHEMA, "properties", "tags", "items"): (
        "request-property-items-removed",
        "request-property-items-added",
    ),
    (*OPERATION, "responses", "204"): (
        "response-success-status-removed",
        "response-success-status-added",
    ),
    (*OPERATION, "responses", "404"): (
        "response-non-success-status-removed",
        "response-non-success-status-added",
    ),
    (*OPERATION, "responses", "200", "headers", "X-Left"): (
        "required-response-header-removed",
        "response-header-added",
    ),
    (*OPERATION, "responses", "200", "headers", "X-Of"): (
        "optional-response-header-removed",
        "response-header-added",
    ),
    (*OPERATION, "responses", "200", "headers", "X-Left", "required"): (
        "response-header-became-optional",
        "response-header-became-required",
    ),
    (*OPERATION, "responses", "200", "content", "application/xml"): (
        "response-media-type-removed",
        "response-media-type-added",
    ),
    (*RESPONSE_SCHEMA, "required", 0): (
        "response-property-became-optional",
        "response-property-became-required",
    ),
    (*RESPONSE_SCHEMA, "properties", "size"): (
        "response-optional-property-removed",
        "response-optional-property-added",
    ),
    (*RESPONSE_SCHEMA, "properties", "state", "enum", 0): (
        "response-property-enum-value-removed",
        "response-property-enum-value-added",
    ),
    (*RESPONSE_SCHEMA, "properties", "state", "enum"): (
        "response-property-became-not-enum",
        "response-property-became-enum",
    ),
    (*RESPONSE_SCHEMA, "properties", "id", "pattern"): (
        "response-property-pattern-removed",
        "response-property-pattern-added",
    ),
    (*RESPONSE_SCHEMA, "properties", "id", "maxLength"): (
        "response-property-max-length-unset",
        "response-property-max-length-set",
    ),
    (*RESPONSE_SCHEMA, "properties", "size", "exclusiveMinimum"): (
        "response-property-exclusive-min-unset",
        "response-property-exclusive-min-set",
    ),
    (*RESPONSE_SCHEMA, "properties", "size", "multipleOf"): (
        "response-property-multiple-of-unset",
        "response-property-multiple-of-set",
    ),
}


def without(document: Json, paths: list[ElementPath]) -> Json:
    """Return a copy of the document without some elements."""
    remaining = copy.deepcopy(document)
    # In reverse order, so that removing an element of a list does not move a later one.
    for *parents, key in sorted(paths, key=_sort_key, reverse=True):
        container: Any = remaining
        for step in parents:
            container = container[step]
        del container[key]
    return remaining


def _sort_key(path: ElementPath) -> list[str]:
    return [str(step) for step in path]


def _are_independent(paths: list[ElementPath]) -> bool:
    """Return whether no path leads through another one."""
    for path in paths:
        for longer_path in paths:
            if path != longer_path and longer_path[: len(path)] == path:
                return False
    return True


SEVERAL_ELEMENTS = st.lists(
    st.sampled_from(list(REMOVABLE)), min_size=1, max_size=6, unique=True
).filter(_are_independent)


@settings(max_examples=200, deadline=None)
@given(SEVERAL_ELEMENTS)
def test_removed_elements_are_added_in_the_reverse_comparison(paths: list[ElementPath]) -> None:
    reduced = without(FULL_DOCUMENT, paths)
    removal_ids = sorted(REMOVABLE[path][0] for path in paths)
    addition_ids = sorted(REMOVABLE[path][1] for path in paths)
    assert sorted(change.id for change in compare(FULL_DOCUMENT, reduced)) == removal_ids
    assert sorted(change.id for change in compare(reduced, FULL_DOCUMENT)) == addition_ids


@pytest.mark.parametrize("path", REMOVABLE, ids=str)
def test_only_optional_response_elements_are_harmless_to_remove_and_to_add(
    path: ElementPath,
) -> None:
    reduced = without(FULL_DOCUMENT, [path])
    changes = [*compare(FULL_DOCUMENT, reduced), *compare(reduced, FULL_DOCUMENT)]
    severities = {change.level for change in changes}
    harmless_paths = {
        (*OPERATION, "responses", "404"),
        (*OPERATION, "responses", "200", "headers", "X-Of"),
        (*RESPONSE_SCHEMA, "properties", "size"),
    }
    assert (severities == {"INFO"}) == (path in harmless_paths)
