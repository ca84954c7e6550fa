"""Writes schemas that the generator cannot combine as one schema each.

These are the branches of an `allOf`, and what stands beside a union or a reference. A schema whose
parts have no clear common meaning stays as it is. `check` rejects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy

from ..document import Document, Node, Schema, SpecError, is_list, is_mapping
from ..unsupported.all_of import find_unmergeable_all_of
from ..unsupported.keywords import (
    OUR_EXTENSIONS,
    REFERENCE_SIBLINGS,
    TYPE_KEYWORDS,
    UNCHECKED_KEYWORDS,
)
from ..walk import all_schemas, with_subschemas
from .merge import CONSTRAINTS, UNIONS, UnmergeableError, constrains, merged, types_of

_COMPONENT = re.compile(r"/components/schemas/[^/]+")

_REQUIREMENT_KEYWORDS = frozenset({"required", "type"})


def merge_schemas(document: Document) -> None:
    """Merge what the generator cannot combine, in place."""
    pending = list(all_schemas(document))
    while pending:
        schema = pending.pop()
        try:
            wrap_siblings_of_reference(schema)
            remove_redundant_branches(document, schema)
            lift_only_branch(schema)
            remove_required_alternatives(document, schema)
            if _needs_merge(document, schema):
                _replace(schema.mapping, merged(document, [_separated(schema.mapping)]))
                # Its properties can be new ones, and copies of schemas that are still to be merged.
                pending += list(with_subschemas(schema))[1:]
        except (SpecError, UnmergeableError):
            # `check` reports a broken reference, and what cannot be merged.
            continue


def wrap_siblings_of_reference(schema: Node) -> None:
    """Write keywords beside `$ref`, which OpenAPI 3.1 allows, as another branch of `allOf`."""
    siblings = schema.mapping.keys() - {"$ref"}
    moved = [name for name in siblings - REFERENCE_SIBLINGS if not str(name).startswith("x-")]
    if "$ref" not in schema.mapping or not moved or siblings & OUR_EXTENSIONS:
        return
    branch: Schema = {name: schema.mapping.pop(name) for name in sorted(moved)}
    branches = branch.pop("allOf", [])
    reference = {"$ref": schema.mapping.pop("$ref")}
    schema.mapping["allOf"] = [reference, *branches, branch]


def remove_redundant_branches(document: Document, schema: Node) -> None:
    """Remove the branches of an `allOf` that only describe it, or repeat what another one says.

    A single branch keeps its class.
    """
    branches = schema.get("allOf")
    if not is_list(branches) or not all(is_mapping(branch) for branch in branches):
        return
    kept: list[Schema] = []
    annotations: Schema = {}
    for branch in branches:
        if _is_redundant(document, branch, [other for other in branches if other is not branch]):
            annotations.update(branch)
        elif branch not in kept:
            kept.append(branch)
    if not kept or len(kept) == len(branches):
        return
    # A component has a class of its own. The generator can fail for one that is a mere reference.
    if len(kept) == 1 and _COMPONENT.fullmatch(schema.pointer):
        return
    for name, value in annotations.items():
        if name not in CONSTRAINTS:
            schema.mapping.setdefault(name, value)
    schema.mapping["allOf"] = kept


def lift_only_branch(schema: Node) -> None:
    """Write an `allOf` with one inline branch as that branch.

    The decoder of a union in such a branch would not get the name of the union's branch.
    """
    branches = schema.get("allOf")
    if not is_list(branches) or len(branches) != 1:
        return
    if schema.mapping.keys() & CONSTRAINTS != {"allOf"}:
        return
    branch = branches[0]
    if is_mapping(branch) and "$ref" not in branch:
        del schema.mapping["allOf"]
        for name, value in branch.items():
            schema.mapping.setdefault(name, value)


def remove_required_alternatives(document: Document, schema: Node) -> None:
    """Remove a union beside properties that only says which of them are required together."""
    for keyword in UNIONS:
        branches = list(schema.child(keyword).elements())
        is_object = "properties" in schema.mapping or "allOf" in schema.mapping
        if not branches or not is_object:
            continue
        if all(_only_requires(branch) for branch in branches):
            document.remark(
                f"{schema.pointer}/{keyword}",
                f"{keyword} beside properties says which of them are required together: the client"
                " does not check it",
            )
            del schema.mapping[keyword]
            if "allOf" not in schema.mapping:
                schema.mapping.setdefault("type", "object")


def _only_requires(branch: Node) -> bool:
    if not is_mapping(branch.value) or branch.get("type", "object") != "object":
        return False
    return branch.mapping.keys() & CONSTRAINTS <= _REQUIREMENT_KEYWORDS


def _is_redundant(document: Document, branch: Schema, others: list[Schema]) -> bool:
    if not constrains(branch):
        # What the client does not check still has a note.
        return branch.keys().isdisjoint(UNCHECKED_KEYWORDS | TYPE_KEYWORDS.keys())
    if branch.keys() & CONSTRAINTS != {"type"}:
        return False
    return any(types and types <= types_of(branch) for types in _types(document, others))


def _types(document: Document, schemas: list[Schema]) -> Iterator[frozenset[str]]:
    for schema in schemas:
        target = document.resolve(Node(schema, ""))
        # Of two branches that list the same types, the first one stays.
        if is_mapping(target.value) and target.mapping.keys() & CONSTRAINTS != {"type"}:
            yield types_of(target.value)


def _needs_merge(document: Document, schema: Node) -> bool:
    if any(find_unmergeable_all_of(document, schema)):
        return True
    has_union = any(keyword in schema.mapping for keyword in UNIONS)
    return has_union and "properties" in schema.mapping


def _separated(schema: Schema) -> Schema:
    """A schema whose union is a branch of an `allOf`, beside all that surrounds it."""
    unions = [{keyword: schema[keyword]} for keyword in UNIONS if keyword in schema]
    if not unions:
        return schema
    rest = {name: value for name, value in schema.items() if name not in UNIONS}
    branches = rest.pop("allOf", [])
    return {"allOf": [*branches, rest, *unions]}


def _replace(schema: Schema, content: Schema) -> None:
    content = deepcopy(content)
    schema.clear()
    schema.update(content)
