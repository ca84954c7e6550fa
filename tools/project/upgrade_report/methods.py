"""Compares the methods and arguments of API calls, where griffe is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .model import UpgradeChange

CLIENTS = "leadconnector.LeadConnector"
"""The public path of the sync client. The async client has the same methods."""

FILE = "leadconnector/_generated/contract.json"


def method_changes(base: dict[str, Any], revision: dict[str, Any]) -> Iterator[UpgradeChange]:
    """The changes of methods and arguments, with the kinds of `project.surface`.

    Args:
        base: the contract of the older copy.
        revision: the contract of the newer copy.
    """
    base_methods = methods_of(base)
    revision_methods = methods_of(revision)
    for path in base_methods | revision_methods:
        if path not in revision_methods:
            yield breaking(path, "The method was removed.", "removed")
        elif path not in base_methods:
            yield harmless(path, "The method was added.", "added")
        else:
            yield from argument_changes(path, base_methods[path], revision_methods[path])


def methods_of(contract: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The arguments of each method by name, by the public path of the method."""
    methods: dict[str, dict[str, Any]] = {}
    for operation in contract["operations"].values():
        path = f"{CLIENTS}.{operation['python']}"
        arguments = {argument["argument"]: argument for argument in operation["arguments"]}
        methods[path] = arguments
        if "python_iteration" in operation:
            methods[f"{CLIENTS}.{operation['python_iteration']}"] = arguments
    return methods


def argument_changes(
    path: str, base: dict[str, Any], revision: dict[str, Any]
) -> Iterator[UpgradeChange]:
    """The changes of the arguments of one method."""
    for name in base | revision:
        if name not in revision:
            yield breaking(path, f"The parameter {name} was removed.", "parameter-removed")
        elif name not in base:
            yield addition(path, name, revision[name]["required"])
        elif revision[name]["required"] and not base[name]["required"]:
            text = f"The parameter {name} became required."
            yield breaking(path, text, "parameter-became-required")


def addition(path: str, name: str, is_required: bool) -> UpgradeChange:
    """The change that adds an argument."""
    if is_required:
        text = f"The parameter {name} was added, and is required."
        return breaking(path, text, "parameter-added")
    text = f"The parameter {name} was added, and is optional."
    return harmless(path, text, "parameter-added")


def breaking(path: str, text: str, kind: str) -> UpgradeChange:
    """A change that breaks code."""
    return UpgradeChange("ERR", "Python", path, text, kind, FILE)


def harmless(path: str, text: str, kind: str) -> UpgradeChange:
    """A change that breaks no code."""
    return UpgradeChange("INFO", "Python", path, text, kind, FILE)
