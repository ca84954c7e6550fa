"""The public names of the package, and the equal methods of both clients."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import leadconnector
import pytest
from leadconnector import AsyncLeadConnector, LeadConnector, errors, models
from leadconnector._generated import load_contract
from leadconnector._generated import models as generated_models
from leadconnector._generated.api import AsyncResources, Resources

from tests.support.paths import ROOT

SYNC_ONLY = {"__enter__", "__exit__"}
ASYNC_ONLY = {"__aenter__", "__aexit__"}


def methods(cls: type) -> dict[str, Callable[..., Any]]:
    named = {
        name: value
        for name, value in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_")
    }
    return named | {
        name: value for name, value in vars(cls).items() if name in SYNC_ONLY | ASYNC_ONLY
    }


ROOT_NAMES: list[str] = vars(leadconnector)["__all__"]


def test_the_names_at_the_root_are_sorted_and_exist() -> None:
    assert sorted(ROOT_NAMES) == ROOT_NAMES
    assert all(hasattr(leadconnector, name) for name in ROOT_NAMES)


def test_the_names_at_the_root_are_complete() -> None:
    assert all(hasattr(leadconnector, name) for name in ROOT_NAMES)
    public = {
        name
        for name, value in vars(leadconnector).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }

    # What the module itself needs for importing the others on their first use.
    helpers = {"TYPE_CHECKING", "annotations", "import_module"}
    assert public - helpers | {"__version__"} == set(ROOT_NAMES)


def test_every_exception_is_at_the_root() -> None:
    exceptions = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }

    assert {name for name in exceptions if not name.startswith("_")} <= set(ROOT_NAMES)


def test_every_generated_model_is_in_models() -> None:
    assert all(
        getattr(models, name) is getattr(generated_models, name)
        for name in vars(generated_models)["__all__"]
    )


def resource_classes(resources: Callable[[Any], object]) -> list[type[Any]]:
    return [type(value) for value in vars(resources(None)).values()]


@pytest.mark.parametrize(
    ("sync", "asynchronous"),
    [
        (LeadConnector, AsyncLeadConnector),
        *zip(resource_classes(Resources), resource_classes(AsyncResources), strict=True),
    ],
)
def test_both_clients_have_the_same_methods_arguments_and_types(
    sync: type, asynchronous: type
) -> None:
    ours, theirs = methods(sync), methods(asynchronous)
    assert {name for name in ours if name not in SYNC_ONLY} == {
        name for name in theirs if name not in ASYNC_ONLY
    }

    for name in ours.keys() & theirs.keys():
        assert inspect.signature(ours[name]) == inspect.signature(theirs[name])
        assert inspect.getdoc(ours[name]) == inspect.getdoc(theirs[name])
        if name not in {"for_location", "with_options"}:
            assert inspect.iscoroutinefunction(theirs[name])
            assert not inspect.iscoroutinefunction(ours[name])


def test_both_clients_have_the_same_options() -> None:
    assert [*inspect.signature(LeadConnector).parameters] == [
        *inspect.signature(AsyncLeadConnector).parameters
    ]


def test_every_operation_of_the_contract_is_a_documented_method_of_both_clients() -> None:
    operations = load_contract()["operations"]
    assert operations

    nobody: Any = None
    for made in (Resources(nobody), AsyncResources(nobody)):
        for operation in operations.values():
            tag, _, name = operation["python"].partition(".")
            method = getattr(getattr(made, tag), name)
            arguments = [argument["argument"] for argument in operation["arguments"]]
            arguments.append("options")
            assert sorted(inspect.signature(method).parameters) == sorted(arguments)
            assert all(f"{argument}:" in (inspect.getdoc(method) or "") for argument in arguments)


def test_no_hand_written_line_names_a_field_of_the_api() -> None:
    contract = load_contract()
    names = {
        name for schema in contract["schemas"].values() for name in schema.get("properties", {})
    }
    names |= {
        argument["name"]
        for operation in contract["operations"].values()
        for argument in operation["arguments"]
    }
    names |= {
        argument["argument"]
        for operation in contract["operations"].values()
        for argument in operation["arguments"]
    }
    # Words of HTTP and of Python that the API also uses.
    names -= {"id", "message", "error", "success", "version", "Version", "type"}
    # The parts that every event of a webhook has, also one that the spec does not describe.
    names -= {"timestamp", "webhookId"}
    assert "locationId" in names

    hand_written = [
        path
        for path in (ROOT / "overrides" / "leadconnector").rglob("*.py")
        # The token endpoint is no operation of the spec. Its documents name a location likewise.
        if not {"_generated", "oauth"} & {*path.relative_to(ROOT).parts}
    ]
    assert len(hand_written) > 10
    for path in hand_written:
        text = path.read_text(encoding="utf-8")
        assert not [
            name
            for name in names
            if f'"{name}"' in text or f".{name}" in text or f"{name}=" in text
        ], path
