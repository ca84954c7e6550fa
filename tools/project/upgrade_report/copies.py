"""Reads what a copy of the client says about itself: its version, its contract and its spec."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from specdrift.model.document import is_list, is_mapping

PACKAGE = "leadconnector"
"""The name of the folder. A copy is imported by this name, below the packages of a service."""

CONTRACT = Path("_generated", "contract.json")

SPEC = Path("_generated", "spec.json")

MANIFEST = "_manifest.json"
"""The file in which the vendoring program writes the origin of a copy."""

HASH_LENGTH = 12
"""The digits of a hash in a report. Git also shows 7 to 12 digits of a commit."""

SPEC_KEYS = {"openapi", "paths"}
OPERATION_KEYS = {"id", "method", "path", "python", "arguments", "responses"}
ARGUMENT_KEYS = {"argument", "name", "in", "required", "schema"}
RESPONSE_KEYS = {"media_types"}


class UpgradeReportError(Exception):
    """There is no report. The message says why and what to do, in one line."""


@dataclass(frozen=True)
class Copy:
    """A copy of the client."""

    folder: Path
    version: str
    """The version of the package; empty if its file has none."""
    revision: str
    """The commit that the copy comes from; empty if it has no manifest, or is the source."""
    contract: dict[str, Any]
    """The contract, as `tools/generate` wrote it."""
    spec: dict[str, Any]
    """The OpenAPI document that the client was generated from."""

    def __str__(self) -> str:
        parts: list[str] = []
        if self.version:
            parts.append(f"version {self.version}")
        if self.revision:
            parts.append(f"revision {short_revision(self.revision)}")
        parts.append(f"API version {self.contract.get('api_version', 'unknown')}")
        spec_hash = str(self.contract.get("spec_sha256", "unknown"))
        parts.append(f"spec {spec_hash[:HASH_LENGTH]}")
        return ", ".join(parts)


def short_revision(revision: str) -> str:
    """The start of a commit's hash, with the mark of a copy that differs from the commit."""
    commit, plus, mark = revision.partition("+")
    return f"{commit[:HASH_LENGTH]}{plus}{mark}"


def read_copy(folder: Path) -> Copy:
    """Read a copy of the client, or its source.

    Raises:
        UpgradeReportError: the folder does not contain the client.
    """
    if not folder.is_dir():
        raise UpgradeReportError(
            f"{folder}: there is no such folder: name a copy of the package {PACKAGE}"
        )
    if folder.resolve().name != PACKAGE:
        raise UpgradeReportError(
            f"{folder}: a copy of the client is called {PACKAGE}: name that folder"
        )
    return Copy(
        folder=folder,
        version=read_version(folder / "_version.py"),
        revision=read_revision(folder / MANIFEST),
        contract=read_contract(folder / CONTRACT),
        spec=read_spec(folder / SPEC),
    )


def read_version(file: Path) -> str:
    """The version that a Python file assigns to `__version__`; empty without one."""
    try:
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        # The version only appears in the heading. A report without it is better than none.
        return ""
    for statement in module.body:
        if not isinstance(statement, ast.Assign):
            continue
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        if "__version__" in names and isinstance(statement.value, ast.Constant):
            return str(statement.value.value)
    return ""


def read_revision(file: Path) -> str:
    """The revision in a manifest; empty without one. The vendoring program checks manifests."""
    try:
        manifest: Any = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return ""
    if not has_keys(manifest, {"revision"}):
        return ""
    # It is null in a copy from an archive.
    return str(manifest["revision"] or "")


def read_contract(file: Path) -> dict[str, Any]:
    """Read a contract.

    Raises:
        UpgradeReportError: it cannot be read, or is not a contract.
    """
    contract = read_json(file)
    if not is_contract(contract):
        raise invalid_form(file)
    return contract


def read_spec(file: Path) -> dict[str, Any]:
    """Read a spec.

    Raises:
        UpgradeReportError: it cannot be read, or is not an OpenAPI document.
    """
    spec = read_json(file)
    if not has_keys(spec, SPEC_KEYS):
        raise invalid_form(file)
    return spec


def read_json(file: Path) -> Any:
    """Read a JSON file of a copy.

    Raises:
        UpgradeReportError: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise UpgradeReportError(
            f"{file}: cannot be read ({error.strerror}): name a folder that `make vendor` made"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UpgradeReportError(
            f"{file}: is not JSON ({error}): restore the copy from version control"
        ) from error


def invalid_form(file: Path) -> UpgradeReportError:
    """The error of a file that the generator did not write."""
    return UpgradeReportError(
        f"{file}: has not the form that the generator writes: restore the copy from version control"
    )


def is_contract(contract: Any) -> TypeGuard[dict[str, Any]]:
    """Whether data has the parts of a contract that the report reads."""
    if not has_keys(contract, {"operations", "schemas"}):
        return False
    operations = contract["operations"]
    if not is_mapping(operations) or not is_mapping(contract["schemas"]):
        return False
    return all(is_operation(operation) for operation in operations.values())


def is_operation(operation: Any) -> bool:
    """Whether data is an operation of a contract."""
    if not has_keys(operation, OPERATION_KEYS):
        return False
    arguments = operation["arguments"]
    responses = operation["responses"]
    if not is_list(arguments) or not is_mapping(responses):
        return False
    return all(has_keys(argument, ARGUMENT_KEYS) for argument in arguments) and all(
        has_keys(response, RESPONSE_KEYS) for response in responses.values()
    )


def has_keys(data: Any, keys: set[str]) -> TypeGuard[dict[str, Any]]:
    """Whether data is a mapping with some keys."""
    return is_mapping(data) and data.keys() >= keys
