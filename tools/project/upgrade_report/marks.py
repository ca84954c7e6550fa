"""Compares the marks in two contracts, such as `x-role`, which specdrift does not compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from specdrift.model.document import is_list, is_mapping

from .model import WHOLE_API, UpgradeChange

MARK_PREFIX = "x-"

RULES_OF_THE_PROJECT = {"x-text", "x-expected"}
"""Keywords that the generator writes for each argument. They are not in the spec."""


def mark_changes(base: dict[str, Any], revision: dict[str, Any]) -> Iterator[UpgradeChange]:
    """The changes of the marks on arguments and schemas that both contracts have.

    Args:
        base: the contract of the older copy.
        revision: the contract of the newer copy.
    """
    for key, operation in revision["operations"].items():
        if key in base["operations"]:
            yield from operation_changes(base["operations"][key], operation)
    for name, schema in revision["schemas"].items():
        if name in base["schemas"]:
            pointer = component_pointer(name)
            yield from schema_changes(WHOLE_API, pointer, base["schemas"][name], schema)


def component_pointer(name: str) -> str:
    """The place of a schema in the spec."""
    # The name of a schema that is no component is its place already.
    if name.startswith("/"):
        return name
    return f"/components/schemas/{escaped(name)}"


def operation_changes(base: dict[str, Any], revision: dict[str, Any]) -> Iterator[UpgradeChange]:
    """The changes of the marks of one operation."""
    place = f"{revision['method']} {revision['path']}"
    base_arguments = arguments_of(base)
    for key, argument in arguments_of(revision).items():
        if key in base_arguments:
            yield from argument_changes(place, base_arguments[key], argument)
    for status, response in revision["responses"].items():
        if status in base["responses"]:
            pointer = str(response.get("schema_pointer", ""))
            base_schema = base["responses"][status].get("schema")
            yield from schema_changes(place, pointer, base_schema, response.get("schema"))


def argument_changes(
    place: str, base: dict[str, Any], revision: dict[str, Any]
) -> Iterator[UpgradeChange]:
    """The changes of the marks of one argument. A contract has not its place in the spec."""
    if base.get("role") != revision.get("role"):
        what = f"x-role of {revision['name'] or 'the request body'}"
        yield mark_change(place, "", what, base.get("role"), revision.get("role"))
    for change in schema_changes(place, "", base["schema"], revision["schema"]):
        # The role of the argument itself is in its schema too.
        if change.location:
            yield replace(change, location="")


def arguments_of(operation: dict[str, Any]) -> dict[tuple[Any, Any], dict[str, Any]]:
    """The arguments of an operation by their place and name in the spec."""
    return {(argument["in"], argument["name"]): argument for argument in operation["arguments"]}


def schema_changes(place: str, pointer: str, base: Any, revision: Any) -> Iterator[UpgradeChange]:
    """The changes of the marks in one schema, and in the schemas that it contains."""
    if is_list(base) and is_list(revision):
        for index, (base_item, item) in enumerate(zip(base, revision, strict=False)):
            yield from schema_changes(place, f"{pointer}/{index}", base_item, item)
    if not is_mapping(base) or not is_mapping(revision):
        return
    for keyword in sorted(base.keys() | revision.keys()):
        if keyword in RULES_OF_THE_PROJECT:
            continue
        base_value = base.get(keyword)
        value = revision.get(keyword)
        if keyword == "properties":
            yield from property_changes(place, f"{pointer}/{keyword}", base_value, value)
        elif not keyword.startswith(MARK_PREFIX):
            yield from schema_changes(place, f"{pointer}/{escaped(keyword)}", base_value, value)
        elif base_value != value:
            yield mark_change(place, pointer, keyword, base_value, value)


def property_changes(place: str, pointer: str, base: Any, revision: Any) -> Iterator[UpgradeChange]:
    """The changes of the marks in properties, whose names can be those of marks."""
    if not is_mapping(base) or not is_mapping(revision):
        return
    for name, schema in revision.items():
        if name in base:
            yield from schema_changes(place, f"{pointer}/{escaped(name)}", base[name], schema)


def mark_change(place: str, pointer: str, what: str, base: Any, revision: Any) -> UpgradeChange:
    """The change of one mark. It changes what the client does, but not how it is called."""
    if revision is None:
        text = f"The mark {what} was {base}, and was removed."
    elif base is None:
        text = f"The mark {what} was added: {revision}."
    else:
        text = f"The mark {what} was {base}, and is now {revision}."
    return UpgradeChange("WARN", "spec", place, text, "mark-changed", pointer)


def escaped(token: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")
