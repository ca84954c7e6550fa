"""Generates packages from the text of a spec: the generated code alone, or a whole client."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from generate.__main__ import main
from leadconnector._runtime.contract import CheckedBody, OperationContract

from tests.generate.programs import write_client

Json = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """The generated package: its contract and its decoders."""

    contracts: Json
    operations: Json
    """By the name of the method."""
    models: Any
    types: Any
    module: Any

    def check(self, body: object, key: str = "200", name: str = "put_thing") -> CheckedBody:
        """The body after the check against the contract."""
        contract: OperationContract = self.contracts[name]
        return contract.check_body(key, body)

    def decode(self, body: object, key: str = "200", name: str = "put_thing") -> Any:
        """The model of a body."""
        checked_body = self.check(body, key, name)
        assert not checked_body.problem
        operation = self.operations[name]
        decoders = {**operation.success, **operation.errors}
        return decoders[key](checked_body.data)


@contextmanager
def loaded_package(text: str, folder: Path, name: str) -> Generator[Package]:
    """Generate and import a package from a spec with operations of the tag Things.

    Args:
        text: the spec.
        folder: where to write the package.
        name: its name, which no other package in the process has.
    """
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    output = folder / name
    assert main(["--spec", str(spec), "--output", str(output)]) == 0
    contract = json.loads((output / "contract.json").read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        module = importlib.import_module(f"{name}.api.things")
        # The client and its generated package share these. This package has its own.
        types = importlib.import_module(f"{name}.types")
        patch.setattr("leadconnector._runtime.schema.UNSET", types.UNSET)
        patch.setattr("leadconnector._runtime.schema.UnionBranch", types.UnionBranch)
        contracts = {
            entry["python"].partition(".")[2]: OperationContract(entry, contract["schemas"])
            for entry in contract["operations"].values()
        }
        operations = {
            method: importlib.import_module(f"{name}.api.things.{method}").OPERATION
            for method in contracts
        }
        models = importlib.import_module(f"{name}.models")
        yield Package(contracts, operations, models, types, module)
        for module_name in list(sys.modules):
            if module_name.partition(".")[0] == name:
                patch.delitem(sys.modules, module_name)


@dataclass(frozen=True)
class ClientPackage:
    """A copy of the client, with code generated from another spec."""

    folder: Path
    """Contains the package."""
    name: str

    def module(self, name: str = "") -> Any:
        """A module of the package, or the package itself."""
        return importlib.import_module(f"{self.name}.{name}".rstrip("."))


@contextmanager
def loaded_client(text: str, folder: Path, name: str) -> Generator[ClientPackage]:
    """Copy the client, and generate its code from a spec.

    Args:
        text: the spec.
        folder: where to write the package.
        name: its name, which no other package in the process has.
    """
    write_client(text, folder, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        importlib.invalidate_caches()
        yield ClientPackage(folder, name)
        for module_name in list(sys.modules):
            if module_name.partition(".")[0] == name:
                patch.delitem(sys.modules, module_name)
