"""Refuses what the generator, the contract or the session would accept and then leave out or get wrong.

Each rule is a row: where it looks, what it looks for, and why that cannot be had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .document import Document, is_list, is_mapping, list_at, mapping_at, pointer

_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_MODEL_NAMES = frozenset(
    {
        "to_dict",
        "from_dict",
        "additional_properties",
        "additional_keys",
        "cls",
        "d",
        "field_dict",
        "src_dict",
    }
)
"""What the generator's model template calls its own methods and variables."""

_BESIDE_REFERENCE = frozenset(
    {"$ref", "description", "summary", "title", "example", "examples", "deprecated"}
)
_ROLES = frozenset({"api-version", "error-messages", "rate-limit-key"})
_READ = (
    frozenset(
        {
            "$ref",
            "type",
            "enum",
            "const",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "pattern",
        }
    )
    | {"allOf", "anyOf", "oneOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "minItems", "maxItems"}
)
"""What the contract holds data against."""

_SAID = frozenset(
    {"title", "description", "summary", "default", "example", "examples", "deprecated", "readOnly"}
) | {
    "writeOnly",
    "externalDocs",
    "xml",
    "discriminator",
    "format",
    "contentMediaType",
    "contentEncoding",
    "$comment",
}
"""What a schema says besides, of which nothing follows for data."""

_NAMED = ("properties", "patternProperties", "$defs")

Rule = Callable[[dict[str, Any]], "str | None"]


def _if_present(key: str, why: str) -> Rule:
    return lambda node: why if key in node else None


def _exclusive(node: dict[str, Any]) -> str | None:
    booleans = [
        key for key in ("exclusiveMinimum", "exclusiveMaximum") if isinstance(node.get(key), bool)
    ]
    return f"{booleans[0]} is a number since OpenAPI 3.1" if booleans else None


def _pattern(node: dict[str, Any]) -> str | None:
    if not isinstance(node.get("pattern"), str):
        return None
    try:
        re.compile(node["pattern"])
    except re.error as error:
        return f"Python cannot read the pattern: {error}"
    return None


def _siblings(node: dict[str, Any]) -> str | None:
    lost = sorted(node.keys() - _BESIDE_REFERENCE) if "$ref" in node else []
    return f"what stands beside $ref would be lost: {', '.join(lost)}" if lost else None


def _role(node: dict[str, Any]) -> str | None:
    role = node.get("x-role", "api-version")
    return None if role in _ROLES else f"x-role {role!r} is none of {', '.join(sorted(_ROLES))}"


def _names(node: dict[str, Any]) -> str | None:
    taken = sorted(mapping_at(node, "properties").keys() & _MODEL_NAMES)
    return (
        f"a property named {taken[0]!r} would hide what every generated model has"
        if taken
        else None
    )


def _empty_name(node: dict[str, Any]) -> str | None:
    return "a property must have a name" if "" in mapping_at(node, "properties") else None


def _required(node: dict[str, Any]) -> str | None:
    if "properties" not in node or "allOf" in node:
        return None
    unknown = [
        str(name)
        for name in list_at(node, "required")
        if name not in mapping_at(node, "properties")
    ]
    return f"required names {unknown[0]!r}, which is no property here" if unknown else None


def _unread(node: dict[str, Any]) -> str | None:
    unread = sorted(key for key in node.keys() - _READ - _SAID if not key.startswith("x-"))
    return (
        f"{unread[0]} is no keyword that data is held against, here or in the client"
        if unread
        else None
    )


def _boolean(node: dict[str, Any]) -> str | None:
    listed = [child for key in ("allOf", "anyOf", "oneOf") for child in list_at(node, key)]
    children = [node.get("items"), *mapping_at(node, "properties").values(), *listed]
    return (
        "a schema must be a mapping: true and false are not read"
        if any(x in (True, False) for x in children)
        else None
    )


def _const(node: dict[str, Any]) -> str | None:
    return (
        "const and enum beside each other: one of them would be lost"
        if {"const", "enum"} <= node.keys()
        else None
    )


def _enum(node: dict[str, Any]) -> str | None:
    values = [*list_at(node, "enum"), node.get("const")]
    return (
        "a value of an enum must be a scalar"
        if any(is_mapping(x) or is_list(x) for x in values)
        else None
    )


def _alternatives(node: dict[str, Any]) -> str | None:
    both = "properties" in node and ("anyOf" in node or "oneOf" in node)
    return "properties beside anyOf or oneOf would be dropped" if both else None


SCHEMA_RULES: tuple[Rule, ...] = (
    _if_present("nullable", "nullable is of OpenAPI 3.0; in 3.1 it is type: [..., 'null']"),
    _if_present("patternProperties", "patternProperties are not read"),
    _exclusive,
    _pattern,
    _siblings,
    _role,
    _names,
    _empty_name,
    _required,
    _alternatives,
    _boolean,
    _const,
    _enum,
    _unread,
)


def check_supported(document: Document) -> None:
    """Raise `SpecError` for the first thing that would be left out or got wrong."""
    server = (list_at(document.root, "servers") or [{}])[0].get("url")
    if not isinstance(server, str) or not re.fullmatch(r"https?://[^{}\s?#]+", server):
        raise document.error(
            "/servers", "the first server must be an absolute http(s) URL without variables"
        )
    for operation in document.operations():
        _check_operation(
            document, operation.place, operation.path, operation.node, operation.path_item
        )
        for parameter, place in document.parameters(operation):
            _check_parameter(document, parameter, place)
    for node, place in _schemas(document):
        for rule in SCHEMA_RULES:
            if problem := rule(node):
                raise document.error(place, problem)
        _check_all_of(document, node, place)


def _check_operation(
    document: Document, place: str, path: str, node: dict[str, Any], path_item: dict[str, Any]
) -> None:
    if not re.fullmatch(r"/[^?#]*", path):
        raise document.error(
            place.rpartition("/")[0], "a path must begin with / and have no query or fragment"
        )
    if "servers" in node or "servers" in path_item:
        raise document.error(
            f"{place}/servers", "servers of one operation are not read: there is one base URL"
        )
    schemes = mapping_at(mapping_at(document.root, "components"), "securitySchemes")
    for requirement in list_at(node, "security") or list_at(document.root, "security"):
        for name in requirement if is_mapping(requirement) else ():
            scheme, where = document.resolve(
                schemes.get(name), pointer("components", "securitySchemes", name)
            )
            bearer = is_mapping(scheme) and (
                scheme.get("type"),
                str(scheme.get("scheme")).lower(),
            ) == (
                "http",
                "bearer",
            )
            if not bearer and not (is_mapping(scheme) and scheme.get("type") == "oauth2"):
                raise document.error(
                    f"{place}/security",
                    f"the client sends bearer tokens alone, {name!r} is another ({where})",
                )


def _check_all_of(document: Document, node: dict[str, Any], place: str) -> None:
    """An `allOf` becomes one schema: its one branch, or an object that has the properties of all."""
    if "allOf" not in node or (len(node["allOf"]) == 1 and not node.keys() & _READ - {"allOf"}):
        return
    required: set[str] = set()
    places: dict[str, str] = {}
    for part, where in _all_of(document, node, place):
        if other := sorted(part.keys() & _READ - {"allOf", "type", "properties", "required"}):
            raise document.error(
                where,
                f"of several schemas in allOf only properties are read; {other[0]} would be lost",
            )
        if part.get("type", "object") != "object":
            raise document.error(where, "of several schemas in allOf each must be an object")
        required.update(list_at(part, "required"))
        for name in mapping_at(part, "properties"):
            if places.setdefault(name, where) != where:
                raise document.error(where, f"two schemas of one allOf have a property {name!r}")
    if unknown := sorted(required - places.keys()):
        raise document.error(place, f"required names {unknown[0]!r}, which is no property here")


def _all_of(
    document: Document, node: Any, place: str, above: frozenset[str] = frozenset()
) -> Iterator[tuple[dict[str, Any], str]]:
    node, place = document.resolve(node, place)
    if place in above:
        raise document.error(place, "an allOf contains itself")
    if is_mapping(node):
        yield node, place
        for index, branch in enumerate(list_at(node, "allOf")):
            yield from _all_of(document, branch, f"{place}/allOf/{index}", above | {place})


def _check_parameter(document: Document, node: dict[str, Any], place: str) -> None:
    style = _STYLES.get(str(node.get("in")), "form")
    if node.get("style", style) != style or node.get("explode", style == "form") != (
        style == "form"
    ):
        raise document.error(
            place, f"only style {style}, exploded as by default, is written; this one is another"
        )
    if node.get("allowReserved"):
        raise document.error(place, "allowReserved is not read")


def _schemas(document: Document) -> Iterator[tuple[dict[str, Any], str]]:
    """Every schema object that is written in the document, and where."""

    def within(schema: Any, place: str) -> Iterator[tuple[dict[str, Any], str]]:
        if not is_mapping(schema):
            return
        yield schema, place
        for key in _NAMED:
            for name, child in mapping_at(schema, key).items():
                yield from within(child, place + pointer(key, name))
        for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            for index, child in enumerate(list_at(schema, key)):
                yield from within(child, f"{place}/{key}/{index}")
        for key in ("items", "additionalProperties", "not"):
            yield from within(schema.get(key), f"{place}/{key}")

    def find(node: Any, place: str) -> Iterator[tuple[dict[str, Any], str]]:
        if is_mapping(node):
            for key, value in node.items():
                where = place + pointer(key)
                if key == "schema":
                    yield from within(value, where)
                elif key == "schemas" and place == "/components":
                    for name, child in mapping_at(node, key).items():
                        yield from within(child, where + pointer(name))
                elif key not in {"example", "examples"}:
                    yield from find(value, where)
        elif is_list(node):
            for index, value in enumerate(node):
                yield from find(value, f"{place}/{index}")

    return find(document.root, "")
